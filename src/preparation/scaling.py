"""Scale pixels to [0, 1]."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.core import arrays
from src.data import images
from src.data.images import ImageSet


def brightest(image_set: ImageSet) -> float:
    """Return the largest pixel of a set."""
    return max(float(part.max()) for part in arrays.parts(image_set.images, doing="measuring the images"))


def write_normalized(folder: Path, image_set: ImageSet, white: float) -> None:
    """Write a set with its images as float32 in [0, 1] to `folder`; `white` is the pixel that becomes 1."""
    parts = (normalize(part, white) for part in arrays.parts(image_set.images, doing="normalizing the images"))
    images.write_set(folder, parts, image_set.labels, image_set.folds)


def normalize(pixels: NDArray[Any], white: float) -> NDArray[np.float32]:
    """Return pixels in [0, white] as float32 in [0, 1]."""
    normalized: NDArray[np.float32] = np.divide(pixels, np.float32(white), dtype=np.float32)
    return normalized
