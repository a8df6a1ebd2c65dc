"""Batch inference: the probabilities of every member of the ensemble."""

import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

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

BATCHES = 32
"""Batches of the forward pass in a block of predictions."""


def predict(models_dir: Path, images: NDArray[np.float32], device: torch.device) -> Predictions:
    """Predict all `images` at once, as `predict_in_blocks` does a few thousand of them at a time."""
    blocks = [*predict_in_blocks(models_dir, images, device)]
    by_member = {
        member: np.concatenate([block.by_member[member] for block in blocks]) for member in blocks[0].by_member
    }
    return Predictions(blocks[0].classes, by_member)


def predict_in_blocks(models_dir: Path, images: NDArray[np.float32], device: torch.device) -> Iterator[Predictions]:
    """Predict `images`, shape (N, side, side) in [0, 1], with every member of the ensemble.

    Yields:
        The predictions of the next images, a few thousand at a time; of an empty set those of no image.

    Raises:
        UserError: a model is missing, expects images of another size, or was trained on other classes than the first
            one, or the device does not support its precision.
    """
    by_member = {member: checkpoints.read(path) for member, path in members.read(models_dir).items()}
    classes = next(iter(by_member.values())).classes
    for member, checkpoint in by_member.items():
        path = models_dir / f"{member}.safetensors"
        if checkpoint.side != images.shape[1]:
            raise UserError(
                f"{path} takes images of {checkpoint.side}x{checkpoint.side} pixels, these have {images.shape[1]}x"
                f"{images.shape[1]}; train it again"
            )
        if not np.array_equal(checkpoint.classes, classes):
            raise UserError(f"{path} was trained on other classes than the first model of the ensemble; train it again")
    predicting = [_probabilities(checkpoint, images, device) for checkpoint in by_member.values()]
    label = f"predicting with {' and '.join(by_member)}"
    batches = zip(*predicting, strict=True)
    with Progress(label, max(1, math.ceil(len(images) / forward.BATCH_SIZE)), "batch") as progress:
        while block := [*islice(batches, BATCHES)]:
            probabilities = map(np.concatenate, zip(*block, strict=True))
            yield Predictions(classes, dict(zip(by_member, probabilities, strict=True)))
            for _ in block:
                progress.step()


def preprocess(models_dir: Path, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `images`, shape (N, side, side) in [0, 1], as the network of the run's recipe sees them."""
    first = next(iter(members.read(models_dir).values()))
    return preprocessing.apply(images, checkpoints.read(first).recipe.preprocessing)


def _probabilities(
    checkpoint: Checkpoint, images: NDArray[np.float32], device: torch.device
) -> Iterator[NDArray[np.float32]]:
    """Yield the probabilities, shape (B, C), of batches of images."""
    recipe = checkpoint.recipe
    network = networks.restore(checkpoint)
    network.to(device, torch_dtype(recipe.precision, device))
    for views in forward.logits(network, images, recipe.test_time_shift, recipe.preprocessing):
        yield views.softmax(dim=2).mean(dim=0).numpy(force=True).astype(np.float32)
