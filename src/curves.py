"""Learning curves: what training saw, epoch by epoch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from src.jsonfile import Metrics
from src.outputs import replacing


@dataclass(frozen=True)
class CurvePoint:
    """Loss (the recipe's own) and accuracy in [0, 1] of both sets in an epoch, counted from 1.

    Those of the training set are means over its images as they passed through that epoch, each met before the step
    that learned from it; those of the validation set are taken after the epoch, and are None without such a set.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None

    def describe(self) -> str:
        """Return the accuracies in words."""
        if self.validation_accuracy is None:
            return f"training accuracy {self.train_accuracy:.4f}"
        return f"training accuracy {self.train_accuracy:.4f}, validation accuracy {self.validation_accuracy:.4f}"


def write(path: Path, curve: Sequence[CurvePoint], what: str) -> None:
    """Write one figure, `loss` or `accuracy`, as CSV: a row a point, columns `epoch`, `train` and `validation`.

    Figures have six decimals; one that is None stays empty.
    """
    rows = pd.DataFrame(
        {
            "epoch": [point.epoch for point in curve],
            "train": [getattr(point, f"train_{what}") for point in curve],
            "validation": [getattr(point, f"validation_{what}") for point in curve],
        }
    )
    with replacing(path) as temporary:
        rows.to_csv(temporary, index=False, float_format="%.6f", lineterminator="\n")


def read(folder: Path, seeds: Sequence[int]) -> dict[int, pd.DataFrame]:
    """Return for each seed the curve that `write` wrote to `folder/<seed>.csv`."""
    return {seed: pd.read_csv(folder / f"{seed}.csv") for seed in seeds}


def summary(curve: Sequence[CurvePoint]) -> Metrics:
    """Return the figures of the last point, without those that are None."""
    return {name: value for name, value in asdict(curve[-1]).items() if value is not None}
