"""Let trained models predict."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src import models, trained
from src.device import torch_dtype
from src.errors import UserError
from src.prediction import Prediction
from src.progress import Progress
from src.trained import Trained

BATCH_SIZE = 250


def predict(models_dir: Path, seeds: Sequence[int], images: NDArray[Any], device: torch.device) -> Prediction:
    """Let the models of all `seeds` predict `images`, shape (N, side, side), float32 in [0, 1].

    Raises:
        UserError: a model is missing, takes other images, or the models do not know the same classes,
            or the device cannot compute in their precision.
    """
    by_seed = {}
    for seed in seeds:
        path = models_dir / f"{seed}.safetensors"
        model = trained.load(path)
        if model.side != images.shape[1]:
            raise UserError(f"{path} takes images of side {model.side}, not {images.shape[1]}; train it again")
        if seed == seeds[0]:
            classes = model.classes
        elif not np.array_equal(model.classes, classes):
            raise UserError(f"{path} knows other classes than the model of seed {seeds[0]}; train it again")
        by_seed[seed] = _probabilities(model, images, device, f"predicting with seed {seed}")
    return Prediction(classes, by_seed)


@torch.no_grad()
def _probabilities(model: Trained, images: NDArray[Any], device: torch.device, label: str) -> NDArray[np.float32]:
    network = models.build(model.recipe, model.side, len(model.classes), seed=0)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in model.weights.items()})
    network.to(device).eval()
    dtype = torch_dtype(model.recipe.precision, device)
    result = np.empty((len(images), len(model.classes)), dtype=np.float32)
    starts = range(0, len(images), BATCH_SIZE)
    with Progress(label, len(starts), "batch") as progress:
        for start in starts:
            batch = torch.from_numpy(np.array(images[start : start + BATCH_SIZE])).to(device, dtype)
            views = [network(view).softmax(dim=1) for view in shifted(batch, model.recipe.test_time_shift)]
            result[start : start + BATCH_SIZE] = torch.stack(views).mean(dim=0).numpy(force=True)
            progress.step()
    return result


def shifted(images: Tensor, shift: int) -> list[Tensor]:
    """Return `images` (B, side, side) and its eight copies that are `shift` pixels aside; just them if that is 0."""
    if shift == 0:
        return [images]
    side = images.shape[1]
    padded = torch.nn.functional.pad(images, (shift, shift, shift, shift))
    starts = (0, shift, 2 * shift)
    return [padded[:, down : down + side, right : right + side] for down in starts for right in starts]
