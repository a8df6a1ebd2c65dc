"""Batches of a training set, and means over their images."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from src.core.errors import UserError
from src.models.recipes import Recipe

LEAST_BATCHES = 30
"""The batches of an epoch, at least: with larger ones a small set would get too few steps (docs/recipes.md)."""


def batch_size(recipe: Recipe, count: int, processes: int) -> int:
    """Return the recipe's batch_size, or a thirtieth of `count`, the number of training images, if that is smaller.

    Then a line is printed.

    Raises:
        UserError: a batch is smaller than the number of processes.
    """
    size = min(recipe.batch_size, math.ceil(count / LEAST_BATCHES))
    smallest = count % size or size
    if smallest < processes:
        raise UserError(
            f"params.yaml: launcher: {processes} processes cannot share the last batch; batches of {size} leave it "
            f"{smallest} of the {count} training images: change the recipe's batch_size"
        )
    if size < recipe.batch_size:
        print(f"batches of {size} in place of the recipe's {recipe.batch_size}: an epoch has at least {LEAST_BATCHES}")
    return size


def batches(count: int, size: int, order: torch.Generator | None) -> Iterator[Tensor | slice]:
    """Yield the indices of `count` images, each once, `size` at a time; the last batch may be smaller.

    They are in a random order drawn from `order`, or ascending, as slices, if that is None.
    """
    if order is None:
        yield from (slice(start, start + size) for start in range(0, count, size))
    else:
        yield from torch.split(torch.randperm(count, generator=order), size)


class BatchMeans:
    """Mean loss and accuracy over images, for batches of any size.

    `sums` has the sums of the losses, of type `dtype`, of the correct predictions and of the images: tensors of shape
    (), updated in place on the device, so that a step does not synchronize.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self.sums = [torch.zeros((), device=device, dtype=kind) for kind in (dtype, torch.float32, torch.int64)]

    def reset(self) -> None:
        """Forget all batches."""
        for total in self.sums:
            total.zero_()

    def add(self, logits: Tensor, labels: Tensor, loss: Tensor) -> None:
        """Count a batch: logits (B, C), labels (B,) and the mean loss of the batch."""
        # argmax takes five times as long on the logits of the linear model, which are transposed in memory
        predicted = logits.detach().max(dim=1).indices
        loss_sum, correct, count = self.sums
        loss_sum += loss.detach() * len(labels)
        correct += (predicted == labels).sum()
        count += len(labels)

    @property
    def loss(self) -> float:
        """Mean loss over all images so far."""
        return self.sums[0].item() / self.sums[2].item()

    @property
    def accuracy(self) -> float:
        """Accuracy, in [0, 1], over all images so far."""
        return self.sums[1].item() / self.sums[2].item()
