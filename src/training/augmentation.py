"""Random affine distortion of training images."""

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from src.models.recipes import Augmentation


def distort(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Return `images` (B, side, side) in [0, 1], each with its own random distortion; pixels from outside are 0.

    Simard, P. Y., Steinkraus, D. & Platt, J. C. (2003), Best practices for convolutional neural networks applied to
    visual document analysis, ICDAR.
    """
    count, side, _ = images.shape
    pixel = 2 / side  # a sampling grid runs from -1 to 1

    def uniform(largest: float, columns: int = 1) -> tuple[Tensor, ...]:
        draws = torch.rand(count, columns, generator=generator) * 2 - 1
        return torch.split(draws * largest, 1, dim=1)

    (angle,) = uniform(augmentation.rotation * torch.pi / 180)
    (slant,) = uniform(augmentation.shear)
    width, height = uniform(augmentation.zoom, 2)
    right, down = uniform(augmentation.shift * pixel, 2)
    cos, sin = angle.cos(), angle.sin()
    across = [cos * (1 + width), (slant * cos - sin) * (1 + width), right]
    along = [sin * (1 + height), (slant * sin + cos) * (1 + height), down]
    affine = torch.cat(across + along, dim=1).view(count, 2, 3)
    grid = affine_grid(affine, [count, 1, side, side], align_corners=False)
    return grid_sample(images[:, None], grid.to(images), align_corners=False)[:, 0]
