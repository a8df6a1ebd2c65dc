"""Random affine augmentation of training images."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from src.models import preprocessing
from src.models.recipes import SIDE, Augmentation, Recipe
from src.training.batches import batches


class TrainingImages:
    """The images of a training set as the network sees them: preprocessed, and augmented anew each time.

    Preprocessing is computed once. With augmentation it remains one matrix per image, which is composed with that of
    the random augmentation, so that an image is interpolated only once.

    Args:
        images: shape (N, side, side), in [0, 1]; preprocessed in place where there is no augmentation.
        recipe: its preprocessing and augmentation are used.
        generator: draws the random matrices.
        share: returns the rows of a batch that this process trains on.
        at_once: how many batches are prepared at a time, which does not change them; several only in one process.
    """

    def __init__(
        self,
        images: Tensor,
        recipe: Recipe,
        generator: torch.Generator,
        share: Callable[[Tensor], Tensor] = lambda batch: batch,
        at_once: int = 1,
    ) -> None:
        self._images, self._augmentation, self._generator = images, recipe.augmentation, generator
        self._share, self._at_once = share, at_once
        self._matrices: Tensor | None = None
        if recipe.preprocessing is not None:
            chunks = torch.split(images, preprocessing.CHUNK)
            matrices = [preprocessing.matrices(chunk, recipe.preprocessing) for chunk in chunks]
            if recipe.augmentation is not None:
                self._matrices = torch.cat(matrices)
            else:
                for chunk, of_chunk in zip(chunks, matrices, strict=True):
                    # in place: memory for another whole set would take as long to get as to fill
                    chunk.copy_(preprocessing.warp(chunk, of_chunk))

    def epoch(self, labels: Tensor, size: int, order: torch.Generator | None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches of `size` images, as `batches.batches` chooses them.

        Each is this process's share of the images (B, side, side), and all their `labels` (B,), of N in all.
        """
        for chosen in batches(len(labels), size * self._at_once, order):
            if isinstance(chosen, Tensor):
                chosen = chosen.to(labels.device)  # once, for all that it selects
            yield from self._batches(self._images[chosen], chosen, labels[chosen], size)

    def _batches(
        self, whole: Tensor, chosen: Tensor | slice, labels: Tensor, size: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of some of the images."""
        starts = range(0, len(labels), size)
        seen = self._as_seen(whole, chosen, [min(size, len(labels) - start) for start in starts])
        for start in starts:
            yield seen[start : start + size], labels[start : start + size]

    def _as_seen(self, whole: Tensor, chosen: Tensor | slice, sizes: Sequence[int]) -> Tensor:
        """Return this process's share of batches of these sizes as the network sees it."""
        batch = self._share(whole)
        if self._matrices is None and self._augmentation is None:
            return batch
        matrices = None if self._matrices is None else self._share(self._matrices[chosen])
        if self._augmentation is not None:
            drawn = random_matrices(sizes, self._augmentation, self._generator)
            random = self._share(drawn).to(batch)
            matrices = random if matrices is None else preprocessing.compose(matrices, random)
        assert matrices is not None
        return preprocessing.warp(batch, matrices)


def random_matrices(sizes: Sequence[int], augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Return random affine matrices (N, 2, 3) for batches of these sizes, N in all, of images of any side.

    Each batch has the numbers that it would have if the batches were drawn one by one.

    Simard, P. Y., Steinkraus, D. & Platt, J. C. (2003), Best practices for convolutional neural networks applied to
    visual document analysis, ICDAR.
    """
    pixel = 2 / SIDE  # a sampling grid runs from -1 to 1
    largest = augmentation.rotation * torch.pi / 180, augmentation.shear, augmentation.zoom, augmentation.shift * pixel
    draws = [[torch.rand(size, columns, generator=generator) for columns in (1, 1, 2, 2)] for size in sizes]
    uniform = ((torch.cat(each) * 2 - 1) * limit for each, limit in zip(zip(*draws, strict=True), largest, strict=True))
    (angle,), (slant,), (width, height), (right, down) = (torch.split(each, 1, dim=1) for each in uniform)
    cos, sin = angle.cos(), angle.sin()
    across = [cos * (1 + width), (slant * cos - sin) * (1 + width), right]
    along = [sin * (1 + height), (slant * sin + cos) * (1 + height), down]
    return torch.cat(across + along, dim=1).view(len(angle), 2, 3)
