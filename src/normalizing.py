"""Bring pixels to [0, 1], and sum up what comes out."""

import math

import numpy as np
from numpy.typing import NDArray

from src.images import ImageSet
from src.jsonfile import Metrics


def normalize(one: ImageSet) -> ImageSet:
    """Return the set with its images, uint8 in [0, 255], as float32 in [0, 1]."""
    return ImageSet(one.images / np.float32(255), one.labels)


def summary(pixels: NDArray[np.uint8]) -> Metrics:
    """Return minimum, maximum, mean and standard deviation of the normalized `pixels`, shape (N, side, side), uint8.

    They come from sums of whole numbers, so they are exact and the same on every machine.
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
