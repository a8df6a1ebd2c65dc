"""What models say about images: probabilities, and the labels that follow from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.jsonfile import Metrics
from src.outputs import replacing


@dataclass(frozen=True)
class Prediction:
    """Probabilities, in [0, 1], of N images.

    Attributes:
        classes: the label that each column stands for, shape (C,).
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


def summary(prediction: Prediction) -> Metrics:
    """Sum up predictions whose truth is not known: images of each class, and the mean confidence."""
    return {
        "images": len(prediction.labels),
        "mean_confidence": float(prediction.confidence.mean(dtype=np.float64)),
        "images_of_class": {str(label): int(np.sum(prediction.labels == label)) for label in prediction.classes},
    }


def write_compared(path: Path, prediction: Prediction, labels: NDArray[Any]) -> None:
    """Write predictions beside the true `labels`, shape (N,), as CSV: a row an image, in the order of the set."""
    rows = pd.DataFrame({"label": labels, "predicted": prediction.labels, "confidence": prediction.confidence})
    with replacing(path) as temporary:
        rows.to_csv(temporary, index=False, float_format="%.6f", lineterminator="\n")


def read_compared(path: Path) -> pd.DataFrame:
    """Return what `write_compared` wrote: the columns `label` and `predicted` as text, and `confidence` in [0, 1]."""
    return pd.read_csv(path, dtype={"label": str, "predicted": str, "confidence": float}, keep_default_na=False)


def write_probabilities(path: Path, prediction: Prediction) -> None:
    """Write the ensemble's probabilities, float32 (N, C), as .npy."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, prediction.probabilities)
