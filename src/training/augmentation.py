"""Random affine distortion of training images."""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from src.models import preprocessing
from src.models.recipes import SIDE, Augmentation, Recipe


class TrainingImages:
    """The images of a training set as the network sees them: preprocessed, and distorted anew each time.

    Preprocessing is computed once. With augmentation it remains one matrix per image, which is composed with that of
    the random distortion, so that an image is interpolated only once.

    Args:
        images: shape (N, side, side), in [0, 1]; preprocessed in place where there is no augmentation.
        recipe: its preprocessing and augmentation are used.
        generator: draws the distortions.
        share: returns the rows of a batch that this process trains on.
    """

    def __init__(
        self,
        images: Tensor,
        recipe: Recipe,
        generator: torch.Generator,
        share: Callable[[Tensor], Tensor] = lambda batch: batch,
    ) -> None:
        self._images, self._augmentation, self._generator = images, recipe.augmentation, generator
        self._share = share
        self._matrices: Tensor | None = None
        if recipe.preprocessing is not None:
            self._matrices = preprocessing.matrices(images, recipe.preprocessing)
            if recipe.augmentation is None:
                split = (torch.split(whole, preprocessing.CHUNK) for whole in (images, self._matrices))
                for chunk, matrices in zip(*split, strict=True):
                    # in place: memory for another whole set would take as long to get as to fill
                    chunk.copy_(preprocessing.warp(chunk, matrices))
                self._matrices = None

    def batches(self, chosen: Iterable[Tensor | slice], labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield this process's share of the images (B, side, side) that are chosen for each batch, and all labels."""
        for one in chosen:
            yield self._as_seen(self._images[one], one), labels[one]

    def _as_seen(self, whole: Tensor, chosen: Tensor | slice) -> Tensor:
        """Return this process's share of a batch as the network sees it."""
        batch = self._share(whole)
        if self._matrices is None and self._augmentation is None:
            return batch
        matrices = None if self._matrices is None else self._share(self._matrices[chosen])
        if self._augmentation is not None:
            drawn = random_matrices(len(whole), self._augmentation, self._generator)
            random = self._share(drawn).to(batch)
            matrices = random if matrices is None else preprocessing.compose(matrices, random)
        assert matrices is not None
        return preprocessing.warp(batch, matrices)


def random_matrices(count: int, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Return `count` random affine matrices, shape (count, 2, 3), for images of any side.

    Simard, P. Y., Steinkraus, D. & Platt, J. C. (2003), Best practices for convolutional neural networks applied to
    visual document analysis, ICDAR.
    """
    pixel = 2 / SIDE  # a sampling grid runs from -1 to 1

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
    return torch.cat(across + along, dim=1).view(count, 2, 3)
