"""Scale pixels to [0, 1], and compute their statistics."""

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
    """Write a set with its images, uint8 in [0, 255], as float32 in [0, 1] to `folder`; return the pixel statistics."""
    statistics = PixelStatistics()

    def normalized() -> Iterator[NDArray[np.float32]]:
        for part in arrays.parts(image_set.images):
            statistics.add(part)
            yield normalize(part)

    images.write_set(folder, normalized(), image_set.labels)
    return statistics.metrics()


def normalize(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pixels in [0, 255] as float32 in [0, 1]."""
    normalized: NDArray[np.float32] = np.divide(pixels, np.float32(255), dtype=np.float32)
    return normalized


class PixelStatistics:
    """Minimum, maximum, mean and standard deviation of normalized pixels, gathered from parts of a set.

    They are computed from sums of integers, so they are exact and the same on every machine.
    """

    def __init__(self) -> None:
        self._images = self._pixels = self._total = self._squares = self._maximum = 0
        self._minimum = 255

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Count images, shape (n, side, side), in [0, 255]."""
        if pixels.size == 0:
            return
        self._images += len(pixels)
        self._pixels += pixels.size
        self._total += int(pixels.sum(dtype=np.int64))
        self._squares += int(np.square(pixels, dtype=np.uint16).sum(dtype=np.int64))
        self._minimum = min(self._minimum, int(pixels.min()))
        self._maximum = max(self._maximum, int(pixels.max()))

    def metrics(self) -> Metrics:
        """Return the statistics of all images so far; only their number where it is 0."""
        if self._images == 0:
            return {"images": 0}
        return {
            "images": self._images,
            "minimum": self._minimum / 255,
            "maximum": self._maximum / 255,
            "mean": self._total / self._pixels / 255,
            "standard_deviation": math.sqrt(self._pixels * self._squares - self._total**2) / self._pixels / 255,
        }
