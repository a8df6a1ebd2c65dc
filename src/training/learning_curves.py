"""Learning curves: loss and accuracy of both sets over the epochs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn

from src.core import tables
from src.core.arrays import Array
from src.core.metrics import Metrics
from src.models import forward
from src.models.recipes import Recipe
from src.training import losses

MAX_POINTS = 10
"""The largest number of points: measuring the validation set after every epoch takes 5 % of a cnn's time."""


@dataclass(frozen=True)
class CurvePoint:
    """Loss and accuracy, in [0, 1], of both sets in an epoch, counted from 1.

    Those of the training set are means over its images in the course of that epoch, each computed before the step that
    learns from it, with the recipe's label smoothing. Those of the validation set are computed after the epoch and
    without label smoothing.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float

    def describe(self) -> str:
        """Return the accuracies in words."""
        return f"training accuracy {self.train_accuracy:.4f}, validation accuracy {self.validation_accuracy:.4f}"


@torch.no_grad()
def measure(
    network: nn.Module,
    recipe: Recipe,
    images: Array,
    labels: Tensor,
    preprocess: bool = False,
) -> tuple[float, float]:
    """Return mean loss, without label smoothing, and accuracy on `images` (N, side, side) of the classes `labels` (N,).

    With `preprocess` the recipe's preprocessing is applied; otherwise it has been.
    """
    settings = recipe.preprocessing if preprocess else None
    logits = _in_one(map(network, forward.batches(network, images, settings)), len(images))
    loss_function = losses.BY_NAME[recipe.loss]
    return loss_function(logits, labels).item(), (logits.argmax(dim=1) == labels).double().mean().item()


def _in_one(parts: Iterator[Tensor], count: int) -> Tensor:
    """Return the parts, shape (n, C), as one tensor, of `count` rows in all."""
    # a list of small parts would lie between the memory of the batches of images, which could then not be used again
    first = next(parts)
    whole = first.new_empty(count, first.shape[1])
    done = 0
    for part in chain([first], parts):
        whole[done : done + len(part)] = part
        done += len(part)
    return whole


@contextmanager
def written(loss_csv: Path, accuracy_csv: Path) -> Iterator[Callable[[CurvePoint], None]]:
    """Yield a function that adds a point to both files at once, so that they can be watched while the training goes on.

    They have one row per point, and the columns `epoch`, `train` and `validation`. An exception removes both. Those of
    a process that is killed are no result: no model lies beside them, and DVC deletes them before it trains again.
    """
    columns = ["epoch", "train", "validation"]
    with tables.growing(loss_csv, columns) as add_loss, tables.growing(accuracy_csv, columns) as add_accuracy:

        def add(point: CurvePoint) -> None:
            add_loss(point.epoch, point.train_loss, point.validation_loss)
            add_accuracy(point.epoch, point.train_accuracy, point.validation_accuracy)

        yield add


def final_metrics(curve: Sequence[CurvePoint]) -> Metrics:
    """Return the training accuracy of the last point; `evaluate` has that on the validation images."""
    return {"train_accuracy": curve[-1].train_accuracy}
