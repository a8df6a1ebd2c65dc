"""Scale pixels to [0, 1], and compute their statistics."""

import math

import numpy as np
from numpy.typing import NDArray

from src.core.metrics import Metrics
from src.data.images import ImageSet


def normalize(image_set: ImageSet) -> ImageSet:
    """Return the set with its images, uint8 in [0, 255], as float32 in [0, 1]."""
    return ImageSet(image_set.images / np.float32(255), image_set.labels)


def pixel_statistics(pixels: NDArray[np.uint8]) -> Metrics:
    """Return minimum, maximum, mean and standard deviation of the normalized `pixels`, shape (N, side, side), uint8.

    They are computed from sums of integers, so they are exact and the same on every machine.
    """
    if pixels.size == 0:
        return {"images": 0}
    total = int(pixels.sum(dtype=np.int64))
    squares = int(np.square(pixels, dtype=np.uint16).sum(dtype=np.int64))
    return {
        "images": len(pixels),
        "minimum": int(pixels.min()) / 255,
        "maximum": int(pixels.max()) / 255,
        "mean": total / pixels.size / 255,
        "standard_deviation": math.sqrt(pixels.size * squares - total**2) / pixels.size / 255,
    }
