"""Batch inference: the probabilities of every member of the ensemble."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from src.core.errors import UserError
from src.core.progress import Progress
from src.inference import members
from src.inference.predictions import Predictions
from src.models import checkpoints, forward, networks, preprocessing
from src.models.checkpoints import Checkpoint
from src.models.device import torch_dtype


def predict(models_dir: Path, images: NDArray[Any], device: torch.device) -> Predictions:
    """Predict `images`, shape (N, side, side), float32 in [0, 1], with every member of the ensemble.

    Raises:
        UserError: a model is missing, expects images of another size, or was trained on other classes than the first
            one, or the device does not support its precision.
    """
    by_member = {}
    classes: NDArray[Any] | None = None
    for member, path in members.read(models_dir).items():
        checkpoint = checkpoints.read(path)
        if checkpoint.side != images.shape[1]:
            raise UserError(
                f"{path} takes images of {checkpoint.side}x{checkpoint.side} pixels, these have {images.shape[1]}x"
                f"{images.shape[1]}; train it again"
            )
        if classes is None:
            classes = checkpoint.classes
        elif not np.array_equal(checkpoint.classes, classes):
            raise UserError(f"{path} was trained on other classes than the first model of the ensemble; train it again")
        by_member[member] = _probabilities(checkpoint, images, device, f"predicting with {path.stem}")
    assert classes is not None
    return Predictions(classes, by_member)


def preprocess(models_dir: Path, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `images`, shape (N, side, side) in [0, 1], as the network of the run's recipe sees them."""
    first = next(iter(members.read(models_dir).values()))
    return preprocessing.apply(images, checkpoints.read(first).recipe.preprocessing)


def _probabilities(
    checkpoint: Checkpoint, images: NDArray[Any], device: torch.device, label: str
) -> NDArray[np.float32]:
    recipe = checkpoint.recipe
    images = preprocessing.apply(images, recipe.preprocessing)
    network = networks.build(recipe, checkpoint.side, len(checkpoint.classes), seed=0)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in checkpoint.weights.items()})
    network.to(device, torch_dtype(recipe.precision, device))
    result = np.empty((len(images), len(checkpoint.classes)), dtype=np.float32)
    done = 0
    with Progress(label, math.ceil(len(images) / forward.BATCH_SIZE), "batch") as progress:
        for views in forward.logits(network, images, recipe.test_time_shift):
            probabilities = views.softmax(dim=2).mean(dim=0).numpy(force=True)
            result[done : done + len(probabilities)] = probabilities
            done += len(probabilities)
            progress.step()
    return result
