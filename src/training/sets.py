"""The sets of a fold as the loop takes them: preprocessed, on the device, in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from src.core.arrays import Array
from src.core.errors import UserError
from src.data.images import ImageSet, background
from src.models import preprocessing
from src.models.device import torch_dtype
from src.models.recipes import Recipe
from src.training.augmentation import TrainingImages
from src.training.batches import batch_size
from src.training.learning_curves import measure
from src.training.mapped import fits_into_memory, training_images
from src.training.processes import Processes


@dataclass(frozen=True)
class Sets:
    """Both sets of a fold.

    Attributes:
        recipe: of the training.
        classes: the label of each logit, shape (C,).
        batch_size: images in a batch; the last one of an epoch may have fewer.
        order: draws the order of each epoch; None for the order of the file.
    """

    recipe: Recipe
    classes: NDArray[Any]
    batch_size: int
    order: torch.Generator | None
    _originals: Array  # of the training set
    _images: TrainingImages
    _labels: Tensor
    _validation_images: Array
    _validation_labels: Tensor
    _in_memory: bool

    @property
    def batches(self) -> int:
        """The number of batches in an epoch."""
        return -(-len(self._labels) // self.batch_size)

    def epoch(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of an epoch: this process's share of the images (B, side, side), and all labels (B,)."""
        return self._images.epoch(self._labels, self.batch_size, self.order)

    def validate(self, network: nn.Module) -> tuple[float, float]:
        """Return the mean loss and the accuracy on the validation set."""
        images, labels = self._validation_images, self._validation_labels
        return measure(network, self.recipe, images, labels, preprocess=not self._in_memory)

    def loss_of_first_batch(self, network: nn.Module) -> float:
        """Return the mean loss on the first images of the training set, which are not preprocessed."""
        first = slice(self.batch_size)
        return measure(network, self.recipe, self._originals[first], self._labels[first])[0]

    @property
    def bright_background(self) -> bool:
        """Whether the training images have a bright background."""
        return background(self._originals[:: max(1, len(self._labels) // 1000)]) > 0.5  # a thousand images suffice


def of_fold(
    recipe: Recipe, fold: int, seed: int, labelled: ImageSet, device: torch.device, processes: Processes
) -> Sets:
    """Return the images of all other folds to train on, and those of `fold` to validate on, as `loop.train` has them.

    Raises:
        UserError: there is no such fold, a batch is smaller than the number of processes, or the device does not
            support the recipe's precision.
    """
    if fold not in labelled.known_folds:
        raise UserError(f"params.yaml: folds: there is no fold {fold}; they are numbered from 0 to split.n_splits - 1")
    train_set, validation_set = labelled.split(fold)
    size = batch_size(recipe, len(train_set), processes.count)
    classes = np.unique(labelled.known_labels)
    dtype = torch_dtype(recipe.precision, device)
    generator = torch.Generator().manual_seed(seed)
    in_memory = fits_into_memory(labelled.images, dtype, device)
    labels, validation_labels = (
        torch.from_numpy(np.searchsorted(classes, one.known_labels)).to(device) for one in (train_set, validation_set)
    )
    return Sets(
        recipe,
        classes,
        size,
        generator if recipe.shuffle else None,
        train_set.images,
        training_images(train_set.images, recipe, generator, device, dtype, in_memory, processes),
        labels,
        preprocessing.apply(validation_set.images, recipe.preprocessing if in_memory else None),
        validation_labels,
        in_memory,
    )
