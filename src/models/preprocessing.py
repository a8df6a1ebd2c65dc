"""The preprocessing of a recipe: digits deslanted and scaled to one width, in training and in prediction.

Both together are one affine matrix per image, which is composed with the one of the random augmentation, so that an
image is interpolated only once.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from src.core import arrays
from src.core.arrays import Array
from src.models.recipes import SIDE, Preprocessing

MIN_INK = 0.2
"""Pixels of an image in [0, 1] below this value do not count towards the width of a digit: they blur its edge."""

MAX_SHEAR = 1.0
"""The largest shear, in pixels across per pixel down: 45 degrees."""

MAX_SCALE = 2.0
"""The largest factor by which a digit is made wider or narrower, so that a `1` stays thin."""

CHUNK = 4096
"""How many images are processed at a time, so that no intermediate result is as large as a whole set."""


def apply(images: Array, preprocessing: Preprocessing | None) -> Array:
    """Return `images`, shape (N, side, side) in [0, 1], preprocessed; the same array if `preprocessing` is None."""
    if preprocessing is None:
        return images
    return np.concatenate([*batches(images, preprocessing, CHUNK, "preprocessing the images")])


def batches(
    images: Array, preprocessing: Preprocessing | None, size: int, doing: str = ""
) -> Iterator[NDArray[np.float32]]:
    """Yield what `apply` returns, `size` images at a time, without holding all; `doing` is that of `arrays.parts`."""
    for part in arrays.parts(images, size, doing=doing):
        chunk = torch.from_numpy(part)
        yield part if preprocessing is None else warp(chunk, matrices(chunk, preprocessing)).numpy()


def warp(images: Tensor, matrices: Tensor) -> Tensor:
    """Return `images` (B, side, side) resampled through their matrices (B, 2, 3); the edge continues outside."""
    side = images.shape[1]
    # one product for all images; `affine_grid` multiplies image by image, which takes ten times as long
    grid = matrices.reshape(-1, 3) @ pixel_centers(side, matrices)
    grid = grid.view(-1, 2, side, side).permute(0, 2, 3, 1)
    return grid_sample(images[:, None], grid.to(images), padding_mode="border", align_corners=False)[:, 0]


def compose(outer: Tensor, inner: Tensor) -> Tensor:
    """Return the matrices (B, 2, 3) with which `warp` does in one step what it does with `outer` and then `inner`."""
    linear = outer[:, :, :2]
    return torch.cat([linear @ inner[:, :, :2], linear @ inner[:, :, 2:] + outer[:, :, 2:]], dim=2)


def pixel_centers(side: int, like: Tensor) -> Tensor:
    """Return x, y and 1 of each pixel of an image, in [-1, 1], shape (3, side * side), in the data type of `like`."""
    centers = (2 * torch.arange(side, dtype=like.dtype, device=like.device) + 1) / side - 1
    x, y = centers.repeat(side), centers.repeat_interleave(side)
    return torch.stack([x, y, torch.ones_like(x)])


def matrices(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return the affine matrix, shape (2, 3), of each image (B, side, side) in [0, 1].

    It maps the coordinates of the result, in [-1, 1], to those of the image, as `affine_grid` expects. Shear and scale
    leave the centre of mass where it is. Deslanting regresses the ink's x on its y and shears by the slope. Ink is what
    differs from the background, which may be dark or bright. An image without ink has the identity.

    LeCun, Y. et al. (1998), Gradient-based learning applied to document recognition, Proc. IEEE 86 (deslanting);
    Ciresan, D. et al. (2011), Convolutional neural network committees for handwritten character classification, ICDAR
    (width).
    """
    count, side, _ = images.shape
    ink = _ink(images)
    x, y, ones = pixel_centers(side, images)
    # all moments in one product, which reads the images once
    mass, *moments = (ink.flatten(1) @ torch.stack([ones, x, y, x * y, y * y]).T).unbind(dim=1)
    mass = mass.clamp(min=torch.finfo(images.dtype).tiny)
    center_x, center_y, mean_xy, mean_yy = (moment / mass for moment in moments)
    shear, scale = torch.zeros_like(mass), torch.ones_like(mass)
    if preprocessing.deslant:
        covariance, variance = mean_xy - center_x * center_y, mean_yy - center_y**2
        # ink in a single row has no slant, and rounding errors of float32 must not give it one
        has_height = variance > (0.5 / side) ** 2  # a standard deviation of a quarter of a pixel
        slope = torch.where(has_height, covariance / variance.where(has_height, 1), 0)
        shear = slope.clamp(-MAX_SHEAR, MAX_SHEAR)
    if preprocessing.width is not None:
        first, last = _ends_of_rows(ink >= MIN_INK)
        rows = torch.arange(side, dtype=images.dtype, device=images.device)
        moved = shear[:, None] * rows  # a shear moves every row as a whole
        has_ink = last >= 0
        right = (last - moved).where(has_ink, -torch.inf).amax(dim=1)
        left = (first - moved).where(has_ink, torch.inf).amin(dim=1)
        width = right - left + 1  # in pixels
        wanted = preprocessing.width * side / SIDE
        scale = torch.where(has_ink.any(dim=1), width / wanted, 1).clamp(1 / MAX_SCALE, MAX_SCALE)
    zero, one = torch.zeros_like(mass), torch.ones_like(mass)
    across, down = [scale, shear, center_x * (1 - scale) - shear * center_y], [zero, one, zero]
    return torch.stack(across + down, dim=1).view(count, 2, 3)


def _ink(images: Tensor) -> Tensor:
    """Return `images` (B, side, side), each inverted if most of its outermost pixels are above 0.5."""
    outermost = torch.cat([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], dim=1)
    bright_background = (outermost > 0.5).to(images.dtype).mean(dim=1) > 0.5
    return torch.where(bright_background[:, None, None], 1 - images, images)


def _ends_of_rows(ink: Tensor) -> tuple[Tensor, Tensor]:
    """Return the columns of the first and the last pixel with ink in each row, shape (B, side) each.

    They are `side` and -1 in a row without ink. `ink` has booleans, shape (B, side, side).
    """
    side = ink.shape[2]
    # the maximum of bytes takes a fifth of the time of that of larger numbers
    position = torch.arange(1, side + 1, dtype=torch.uint8 if side < 256 else torch.int32, device=ink.device)
    last = (ink * position).amax(dim=2).int() - 1
    first = side - (ink * position.flip(0)).amax(dim=2).int()
    return first, last
