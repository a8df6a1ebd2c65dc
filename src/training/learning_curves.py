"""Learning curves: loss and accuracy of both sets over the epochs."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn

from src.core import tables
from src.core.arrays import Array
from src.models import forward
from src.models.recipes import Recipe
from src.training import losses

MAX_POINTS = 10
"""The largest number of points: measuring the validation set after every epoch takes 5 % of a cnn's time."""

FEW_STEPS, LOW_ACCURACY = 200, 0.9
"""A network whose accuracies are lower after fewer steps probably underfits."""


@dataclass(frozen=True)
class CurvePoint:
    """Loss, and accuracy in [0, 1], on the training set and the validation set; epochs are counted from 1.

    Training values are means over the images of the epoch, each computed before the optimizer step on its batch, with
    the recipe's label smoothing. Validation values are computed after the epoch, without label smoothing.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float

    def describe(self) -> str:
        """Return the accuracies in words."""
        return f"training accuracy {self.train_accuracy:.4f}, validation accuracy {self.validation_accuracy:.4f}"


def is_point(epoch: int, epochs: int) -> bool:
    """Return whether the curve has a point after an epoch, of so many in all: the last one always is one."""
    return epoch % math.ceil(epochs / MAX_POINTS) == 0 or epoch == epochs


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


def suggest_more_steps(recipe: Recipe, steps: int, last: CurvePoint) -> None:
    """Print a line where the training had fewer than `FEW_STEPS` steps and both accuracies are low at its end."""
    if steps < FEW_STEPS and max(last.train_accuracy, last.validation_accuracy) < LOW_ACCURACY:
        print(
            f"the training accuracy is {last.train_accuracy:.3f} after only {steps} steps; more may raise it: raise "
            f"the recipe's epochs, {recipe.epochs}, or lower its batch_size, {recipe.batch_size}"
        )
