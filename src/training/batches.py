"""Batches of a training set, and means over their images."""

from collections.abc import Iterator

import torch
from torch import Tensor

from src.core.errors import UserError
from src.models.recipes import Recipe


def check_size(recipe: Recipe, count: int, processes: int) -> None:
    """Refuse a batch that is larger than the training set of `count` images, or smaller than the number of processes.

    Raises:
        UserError: the recipe's batch_size gives such a batch.
    """
    if recipe.batch_size > count:
        raise UserError(
            f"params.yaml: the recipe's batch_size, {recipe.batch_size}, is more than the {count} training images; "
            "lower it"
        )
    smallest = count % recipe.batch_size or recipe.batch_size
    if smallest < processes:
        raise UserError(
            f"params.yaml: launcher: {processes} processes cannot share the smallest batch; the recipe's batch_size, "
            f"{recipe.batch_size}, leaves it {smallest} of the {count} training images: change it"
        )


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

    The sums stay on the device, so that a step does not wait for them.
    """

    def __init__(self, device: torch.device) -> None:
        self._loss, self._correct = torch.zeros((), device=device), torch.zeros((), device=device)
        self._count = 0

    def add(self, logits: Tensor, labels: Tensor, loss: Tensor) -> None:
        """Count a batch: logits (B, C), labels (B,) and the mean loss of the batch."""
        # argmax takes five times as long on the logits of the linear model, which are transposed in memory
        predicted = logits.detach().max(dim=1).indices
        self._loss = self._loss + loss.detach() * len(labels)
        self._correct = self._correct + (predicted == labels).sum()
        self._count += len(labels)

    @property
    def loss(self) -> float:
        """Mean loss over all images so far."""
        return self._loss.item() / self._count

    @property
    def accuracy(self) -> float:
        """Accuracy, in [0, 1], over all images so far."""
        return self._correct.item() / self._count
