"""Scale pixels to [0, 1]."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.core import arrays
from src.data import images
from src.data.images import ImageSet


def write_normalized(folder: Path, image_set: ImageSet) -> None:
    """Write a set with its images, uint8 in [0, 255], as float32 in [0, 1] to `folder`."""
    parts = map(normalize, arrays.parts(image_set.images))
    images.write_set(folder, parts, image_set.labels, image_set.folds)


def normalize(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pixels in [0, 255] as float32 in [0, 1]."""
    normalized: NDArray[np.float32] = np.divide(pixels, np.float32(255), dtype=np.float32)
    return normalized
