"""The ensemble's predictions, and the files that hold them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.core import tables
from src.core.outputs import replacing


@dataclass(frozen=True)
class Predictions:
    """Probabilities, in [0, 1], of N images.

    Attributes:
        classes: the label of each column, shape (C,).
        by_seed: for each seed its model's probabilities, shape (N, C).
    """

    classes: NDArray[Any]
    by_seed: dict[int, NDArray[np.float32]]

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """The ensemble's probabilities, the mean over seeds, shape (N, C)."""
        mean: NDArray[np.float32] = np.mean([*self.by_seed.values()], axis=0)
        return mean

    @property
    def labels(self) -> NDArray[Any]:
        """The ensemble's most probable label of each image, shape (N,)."""
        labels: NDArray[Any] = self.classes[self.probabilities.argmax(axis=1)]
        return labels

    @property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of that label, shape (N,)."""
        highest: NDArray[np.float32] = self.probabilities.max(axis=1)
        return highest

    @property
    def mean_confidence(self) -> float:
        """The mean confidence over all images."""
        return float(self.confidence.mean(dtype=np.float64))


def write_with_labels(path: Path, predictions: Predictions, labels: NDArray[Any]) -> None:
    """Write predictions and the true `labels`, shape (N,), as CSV: one row per image, in the order of the set.

    The columns are `label`, `predicted` and `confidence`.
    """
    columns = {"label": labels, "predicted": predictions.labels, "confidence": predictions.confidence}
    tables.write(path, pd.DataFrame(columns))


def class_counts(predictions: Predictions) -> pd.DataFrame:
    """Return how many images are predicted to be of each class: one row per class, columns `class` and `images`."""
    counts = np.bincount(predictions.probabilities.argmax(axis=1), minlength=len(predictions.classes))
    return pd.DataFrame({"class": predictions.classes, "images": counts})


def write_probabilities(path: Path, predictions: Predictions) -> None:
    """Write the ensemble's probabilities, float32 (N, C), as .npy."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, predictions.probabilities)
