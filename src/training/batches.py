"""Batches of a training set, and means over their images."""

from collections.abc import Iterator

import torch
from torch import Tensor


def batches(
    images: Tensor, labels: Tensor, size: int, order: torch.Generator | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield every image with its label once, `size` at a time; the last batch may be smaller.

    The images come in a random order drawn from `order`, or in their own if that is None.
    """
    if order is None:
        yield from zip(torch.split(images, size), torch.split(labels, size), strict=True)
        return
    for chosen in torch.split(torch.randperm(len(labels), generator=order).to(labels.device), size):
        yield images[chosen], labels[chosen]


class BatchMeans:
    """Mean loss and accuracy over images, for batches of any size.

    The sums stay on the device, so that a step does not wait for them.
    """

    def __init__(self) -> None:
        self._loss, self._correct, self._count = torch.zeros(()), torch.zeros(()), 0

    def add(self, logits: Tensor, labels: Tensor, loss: Tensor) -> None:
        """Count a batch: logits (B, C), labels (B,) and the mean loss of the batch."""
        self._loss = self._loss.to(loss.device) + loss.detach() * len(labels)
        self._correct = self._correct.to(loss.device) + (logits.detach().argmax(dim=1) == labels).sum()
        self._count += len(labels)

    @property
    def loss(self) -> float:
        """Mean loss over all images so far."""
        return self._loss.item() / self._count

    @property
    def accuracy(self) -> float:
        """Accuracy, in [0, 1], over all images so far."""
        return self._correct.item() / self._count
