"""From a picture to the input of the model, by the rules of `ink.js`, function by function.

Ink is an array (height, width) of numbers from 0, the paper, to 1.
"""

import math

import numpy as np
from numpy.typing import NDArray

from src.data.images import background


def ink_of_picture(rgb: NDArray[np.uint8], side: int, bright_background: bool) -> NDArray[np.float32]:
    """Return the ink of a picture, from its pixels (height, width, 3): their difference from the border.

    In a picture of the model's own side, ink is the difference from the background of the training images.
    """
    grey = (rgb @ (0.299, 0.587, 0.114) / 255).astype(np.float32)
    inverted = bright_background if grey.shape == (side, side) else background(grey) > 0.5
    return 1 - grey if inverted else grey


def fit(ink: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return an image, shape (side, side), of the ink, made like those of MNIST (LeCun et al., 1998).

    The ink is scaled, its aspect kept, to fit a box of 20x20 pixels, anti-aliased, and this is moved by whole pixels
    until its centre of mass is in the centre of an image of 28x28 pixels, or as near to that as it fits. Images of
    another side are made in proportion. Ink of that side is taken as it is.
    """
    if ink.shape == (side, side):
        return ink
    paper, darkest = background(ink), float(ink.max())
    if darkest - paper < 0.1:
        return np.zeros((side, side), dtype=np.float32)
    low, high = paper + 0.15 * (darkest - paper), paper + 0.85 * (darkest - paper)
    clean = np.clip((ink - low) / (high - low), 0, 1)
    rows, columns = (clean.sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    scale = round(20 / 28 * side) / max(np.ptp(np.flatnonzero(profile)) + 1 for profile in (rows, columns))
    image: NDArray[np.float64] = covering(rows, side, scale) @ clean @ covering(columns, side, scale).T
    return image.astype(np.float32)


def place(profile: NDArray[np.float64], side: int, scale: float) -> float:
    """Return the shift, in pixels of the image, that puts scaled ink, summed along the other axis, in its place."""
    inked = np.flatnonzero(profile)
    start, end, centre = inked[0], inked[-1] + 1, profile @ (np.arange(len(profile)) + 0.5) / profile.sum()
    middle = side // 2 + 0.5  # of MNIST's digits: that of pixel 14, counted from 0
    nearly = 1e-6  # rounding errors decide neither between two pixels nor about the length of the ink
    first = math.floor(middle - scale * (centre - start) + 0.5 - nearly)
    return float(min(max(first, 0), side - math.ceil(scale * (end - start) - nearly)) - scale * start)


def covering(profile: NDArray[np.float64], side: int, scale: float) -> NDArray[np.float64]:
    """Return the share of each of `side` pixels that each source pixel along an axis fills, shape (side, length)."""
    edges = (np.arange(side + 1)[:, None] - place(profile, side, scale)) / scale
    sources = np.arange(len(profile))
    filled: NDArray[np.float64] = np.minimum(edges[1:], sources + 1) - np.maximum(edges[:-1], sources)
    return scale * filled.clip(min=0)
