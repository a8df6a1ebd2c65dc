"""What is predicted of the test images on the whole."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Summary:
    """The predicted classes and their probabilities, gathered from blocks of images.

    Args:
        classes: the label of each class, shape (C,).
    """

    def __init__(self, classes: NDArray[Any]) -> None:
        self._classes = classes
        self._counts = np.zeros(len(classes), dtype=np.int64)
        self._confidence = 0.0

    def add(self, probabilities: NDArray[np.float32]) -> NDArray[Any]:
        """Count a block of probabilities, shape (n, C), and return the most probable label of each image."""
        predicted = probabilities.argmax(axis=1)
        self._counts += np.bincount(predicted, minlength=len(self._classes))
        self._confidence += float(probabilities.max(axis=1).sum(dtype=np.float64))
        labels: NDArray[Any] = self._classes[predicted]
        return labels

    @property
    def class_counts(self) -> pd.DataFrame:
        """How many images are predicted to be of each class: one row per class, columns `class` and `images`."""
        return pd.DataFrame({"class": self._classes, "images": self._counts})

    @property
    def images(self) -> int:
        """The number of images."""
        return int(self._counts.sum())

    @property
    def mean_confidence(self) -> float:
        """The mean, over all images, of the probability of the predicted label."""
        return self._confidence / self.images
