"""The ensemble's predictions, and the tables that are made of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Predictions:
    """Probabilities, in [0, 1], of N images.

    Attributes:
        classes: the label of each column, shape (C,).
        by_member: for each member of the ensemble its probabilities, shape (N, C).
    """

    classes: NDArray[Any]
    by_member: dict[str, NDArray[np.float32]]

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """The ensemble's probabilities, the mean over its members, shape (N, C)."""
        mean: NDArray[np.float32] = np.mean([*self.by_member.values()], axis=0)
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

    def __len__(self) -> int:
        return len(next(iter(self.by_member.values())))


def with_labels(predictions: Predictions, labels: NDArray[Any]) -> pd.DataFrame:
    """Return predictions and the true `labels`, shape (N,), as a table: one row per image, in the order of the set.

    The columns are `label`, `predicted` and `confidence`.
    """
    return pd.DataFrame({"label": labels, "predicted": predictions.labels, "confidence": predictions.confidence})


class Summary:
    """What is predicted on the whole, gathered from blocks of predictions."""

    def __init__(self) -> None:
        self._classes: NDArray[Any] = np.array([])
        self._counts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._confidence = 0.0

    def add(self, predictions: Predictions) -> None:
        """Count the predictions of a block."""
        counts = np.bincount(predictions.probabilities.argmax(axis=1), minlength=len(predictions.classes))
        self._counts = counts + (self._counts if self._counts.size else 0)
        self._classes = predictions.classes
        self._confidence += float(predictions.confidence.sum(dtype=np.float64))

    @property
    def class_counts(self) -> pd.DataFrame:
        """How many images are predicted to be of each class: one row per class, columns `class` and `images`."""
        return pd.DataFrame({"class": self._classes, "images": self._counts})

    @property
    def mean_confidence(self) -> float:
        """The mean confidence over all images."""
        return self._confidence / int(self._counts.sum())
