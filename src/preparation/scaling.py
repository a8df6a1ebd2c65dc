"""Scale pixels to [0, 1], and compute their mean and standard deviation."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.core import arrays
from src.core.metrics import Metrics
from src.data import images
from src.data.images import ImageSet


def write_normalized(folder: Path, image_set: ImageSet) -> Metrics:
    """Write a set with its images, uint8 in [0, 255], as float32 in [0, 1] to `folder`; return the pixel statistics.

    The statistics are `mean` and `standard_deviation`. They are computed from sums of integers, so they are exact and
    the same on every machine.
    """
    pixels = total = squares = 0

    def normalized() -> Iterator[NDArray[np.float32]]:
        nonlocal pixels, total, squares
        for part in arrays.parts(image_set.images):
            pixels += part.size
            total += int(part.sum(dtype=np.int64))
            squares += int(np.square(part, dtype=np.uint16).sum(dtype=np.int64))
            yield normalize(part)

    images.write_set(folder, normalized(), image_set.labels, image_set.folds)
    return {
        "mean": total / pixels / 255,
        "standard_deviation": math.sqrt(pixels * squares - total**2) / pixels / 255,
    }


def normalize(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pixels in [0, 255] as float32 in [0, 1]."""
    normalized: NDArray[np.float32] = np.divide(pixels, np.float32(255), dtype=np.float32)
    return normalized
