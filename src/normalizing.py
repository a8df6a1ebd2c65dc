"""Bring pixels to [0, 1], and sum up what comes out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.images import ImageSet
from src.jsonfile import Metrics


def normalize(one: ImageSet) -> ImageSet:
    """Return the set with its images, uint8 in [0, 255], as float32 in [0, 1]."""
    return ImageSet(one.images / np.float32(255), one.labels)


def summary(pixels: NDArray[np.uint8]) -> Metrics:
    """Return minimum, maximum, mean and standard deviation of the normalized `pixels`, any shape, uint8.

    They are taken from the counts of the 256 values, so they are exact and the same on every machine.
    """
    counts: NDArray[Any] = np.bincount(pixels.ravel(), minlength=256)
    values = np.arange(256) / 255
    if counts.sum() == 0:
        return {"images": 0}
    present = values[counts > 0]
    mean = float(np.average(values, weights=counts))
    deviation = float(np.sqrt(np.average((values - mean) ** 2, weights=counts)))
    return {
        "images": len(pixels),
        "minimum": float(present[0]),
        "maximum": float(present[-1]),
        "mean": mean,
        "standard_deviation": deviation,
    }
