"""Batch inference: the probabilities that each member gives images that it was not trained on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from src.core.arrays import Array, Rows
from src.core.errors import UserError
from src.core.progress import measured
from src.data.images import ImageSet
from src.models import checkpoints, forward, networks
from src.models.checkpoints import Checkpoint
from src.models.device import torch_dtype

BLOCK = 32 * forward.BATCH_SIZE
"""Images that are predicted at a time."""


def read(models_dir: Path) -> list[Checkpoint]:
    """Return the members of the ensemble, by fold and seed.

    Raises:
        UserError: there is no model, one is that of another fold or seed than its name says, or they differ in their
            classes or in the size of their images.
    """
    found = {path: checkpoints.read(path) for path in models_dir.glob("*.safetensors")}
    if not found:
        raise UserError(f"{models_dir}: there is no model yet; run `make repro` first")
    first = next(iter(found.values()))
    for path, checkpoint in found.items():
        if path.stem != f"{checkpoint.fold}-{checkpoint.seed}":
            raise UserError(
                f"{path}: the model in it is that of fold {checkpoint.fold} and seed {checkpoint.seed}; run "
                "`dvc repro --force ensemble`"
            )
        if checkpoint.side != first.side or not np.array_equal(checkpoint.classes, first.classes):
            raise UserError(f"{path}: it was trained on other classes or sizes than another model; train it again")
    return sorted(found.values(), key=lambda checkpoint: (checkpoint.fold, checkpoint.seed))


class Ensemble:
    """Trained networks that predict.

    Args:
        members: a checkpoint for each fold and each seed.
        device: where they compute.

    Attributes:
        classes: the label of each class, shape (C,).
        seeds: of the members of each fold, ascending.

    Raises:
        UserError: the device does not support a member's precision.
    """

    def __init__(self, members: Sequence[Checkpoint], device: torch.device) -> None:
        self.classes: NDArray[Any] = members[0].classes
        self.seeds = sorted({member.seed for member in members})
        self._networks = [
            (member, networks.restore(member).to(device, torch_dtype(member.recipe.precision, device)))
            for member in members
        ]

    def out_of_fold(self, labelled: ImageSet) -> Iterator[NDArray[np.float32]]:
        """Yield probabilities, shape (n, seeds, C), of the next n labelled images.

        Each image is predicted by the members of its own fold, which were not trained on it, and by no other. It has
        NaN where its fold has no member.

        Raises:
            UserError: the images do not have the size that the members expect.
        """
        for rows in _blocks("predicting the validation images", len(labelled)):
            folds = labelled.known_folds[rows]
            probabilities = np.full((len(rows), len(self.seeds), len(self.classes)), np.nan, dtype=np.float32)
            for member, network in self._networks:
                own = folds == member.fold
                if own.any():
                    seed = self.seeds.index(member.seed)
                    probabilities[own, seed] = _probabilities(member, network, Rows(labelled.images, rows[own]))
            yield probabilities

    def predict(self, images: Array) -> Iterator[NDArray[np.float32]]:
        """Yield probabilities, shape (n, members, C), of the next n images, which no member was trained on.

        Raises:
            UserError: the images, shape (N, side, side) in [0, 1], do not have the size that the members expect.
        """
        for rows in _blocks("predicting the test images", len(images)):
            yield np.stack([_probabilities(*member, Rows(images, rows)) for member in self._networks], axis=1)


def _probabilities(member: Checkpoint, network: nn.Module, images: Rows) -> NDArray[np.float32]:
    recipe, side = member.recipe, member.side
    if images.shape[1] != side:
        raise UserError(
            f"the models take images of {side}x{side} pixels, these have {images.shape[1]}x{images.shape[1]}; train "
            "them again"
        )
    batches = forward.probabilities(network, images, recipe.view_shift(side), recipe.preprocessing)
    return np.concatenate([batch.numpy(force=True) for batch in batches]).astype(np.float32)


def _blocks(label: str, count: int) -> Iterator[NDArray[np.int64]]:
    with measured(label, count) as tell:
        for start in range(0, count, BLOCK):
            rows = np.arange(start, min(start + BLOCK, count))
            yield rows
            tell(start + len(rows))
