"""The preprocessing of a recipe: digits deslanted and scaled to one width, in training and in prediction.

Both together are one affine matrix per image, which is composed with the one of the random augmentation, so that an
image is interpolated only once.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from src.core import arrays
from src.models.recipes import Preprocessing

MIN_INK = 0.2
"""Pixels of an image in [0, 1] below this value do not count towards the width of a digit: they blur its edge."""

MAX_SHEAR = 1.0
"""The largest shear, in pixels across per pixel down: 45 degrees."""

MAX_SCALE = 2.0
"""The largest factor by which a digit is made wider or narrower, so that a `1` stays thin."""

CHUNK = 4096
"""How many images are processed at a time, so that no intermediate result is as large as a whole set."""


def apply(images: NDArray[np.float32], preprocessing: Preprocessing | None) -> NDArray[np.float32]:
    """Return `images`, shape (N, side, side) in [0, 1], preprocessed; the same array if `preprocessing` is None."""
    if preprocessing is None:
        return images
    return np.concatenate([*_preprocessed(images, preprocessing)])


def batches(
    images: NDArray[np.float32], preprocessing: Preprocessing | None, size: int
) -> Iterator[NDArray[np.float32]]:
    """Yield what `apply` returns, `size` images at a time, without holding all of them."""
    if preprocessing is None:
        yield from arrays.parts(images, size)
        return
    rest = np.empty((0, *images.shape[1:]), dtype=np.float32)
    for chunk in _preprocessed(images, preprocessing):
        rest = np.concatenate([rest, chunk])
        while len(rest) >= size:
            yield rest[:size]
            rest = rest[size:]
    if len(rest) or len(images) == 0:
        yield rest


def _preprocessed(images: NDArray[np.float32], preprocessing: Preprocessing) -> Iterator[NDArray[np.float32]]:
    for part in arrays.parts(images, CHUNK):
        chunk = torch.from_numpy(part)
        yield warp(chunk, matrices(chunk, preprocessing)).numpy() if len(chunk) else part


def matrices(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return the affine matrix, shape (2, 3), of each image (B, side, side) in [0, 1].

    It maps the coordinates of the result, in [-1, 1], to those of the image, as `affine_grid` expects. Shear and scale
    leave the centre of mass where it is. Deslanting regresses the ink's x on its y and shears by the slope. An image
    without ink has the identity.

    LeCun, Y. et al. (1998), Gradient-based learning applied to document recognition, Proc. IEEE 86 (deslanting);
    Ciresan, D. et al. (2011), Convolutional neural network committees for handwritten character classification, ICDAR
    (width).
    """
    return torch.cat([batch_matrices(chunk, preprocessing) for chunk in torch.split(images, CHUNK)])


def warp(images: Tensor, matrices: Tensor) -> Tensor:
    """Return `images` (B, side, side) resampled through their matrices (B, 2, 3); pixels from outside are 0."""
    count, side, _ = images.shape
    grid = affine_grid(matrices, [count, 1, side, side], align_corners=False)
    return grid_sample(images[:, None], grid.to(images), align_corners=False)[:, 0]


def compose(outer: Tensor, inner: Tensor) -> Tensor:
    """Return the matrices (B, 2, 3) with which `warp` does in one step what it does with `outer` and then `inner`."""
    linear = outer[:, :, :2]
    return torch.cat([linear @ inner[:, :, :2], linear @ inner[:, :, 2:] + outer[:, :, 2:]], dim=2)


def batch_matrices(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return what `matrices` returns, for all images at once."""
    count, side, _ = images.shape
    pixels = (2 * torch.arange(side, dtype=images.dtype, device=images.device) + 1) / side - 1
    mass = images.sum(dim=(1, 2)).clamp(min=torch.finfo(images.dtype).tiny)
    center_x = (images.sum(dim=1) @ pixels) / mass
    center_y = (images.sum(dim=2) @ pixels) / mass
    x, y = pixels - center_x[:, None], pixels - center_y[:, None]
    shear, scale = torch.zeros_like(mass), torch.ones_like(mass)
    if preprocessing.deslant:
        covariance = torch.einsum("byx,by,bx->b", images, y, x) / mass
        variance = (images.sum(dim=2) * y**2).sum(dim=1) / mass
        # ink in a single row has no slant, and rounding errors must not give it one
        has_height = variance > (0.1 / side) ** 2
        slope = torch.where(has_height, covariance / variance.where(has_height, 1), 0)
        shear = slope.clamp(-MAX_SHEAR, MAX_SHEAR)
    if preprocessing.width is not None:
        ink = images >= MIN_INK
        deslanted_x = x[:, None, :] - shear[:, None, None] * y[:, :, None]
        left, right = deslanted_x.where(ink, 2).amin(dim=(1, 2)), deslanted_x.where(ink, -2).amax(dim=(1, 2))
        width = (right - left) * side / 2 + 1  # in pixels
        scale = torch.where(ink.any(dim=2).any(dim=1), width / preprocessing.width, 1).clamp(1 / MAX_SCALE, MAX_SCALE)
    zero, one = torch.zeros_like(mass), torch.ones_like(mass)
    rows = [scale, shear, center_x * (1 - scale) - shear * center_y, zero, one, zero]
    return torch.stack(rows, dim=1).view(count, 2, 3)
