"""Batches of a training set, and means over their images."""

from collections.abc import Iterator

import torch
from torch import Tensor

from src.core.errors import UserError
from src.models.recipes import Recipe


def batch_size(recipe: Recipe, count: int, processes: int) -> int:
    """Return the recipe's batch_size, or `count`, the number of training images, if that is smaller.

    Then a line is printed.

    Raises:
        UserError: a batch is smaller than the number of processes.
    """
    size = min(recipe.batch_size, count)
    smallest = count % size or size
    if smallest < processes:
        raise UserError(
            f"params.yaml: launcher: {processes} processes cannot share the last batch; the recipe's batch_size, "
            f"{recipe.batch_size}, leaves it {smallest} of the {count} training images: change it"
        )
    if size < recipe.batch_size:
        told = f"the recipe's batch_size, {recipe.batch_size}, is more than the {count} training images"
        print(f"{told}: each step takes all of them")
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
