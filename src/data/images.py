"""Sets of images with their labels and folds, in memory and on disk."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.core.arrays import Array, NpyWriter, Rows

EXCLUDED = 255
"""In place of the number of a fold: the image is neither trained on nor scored."""


@dataclass(frozen=True)
class ImageSet:
    """Images and, where they are known, their labels and folds.

    Attributes:
        images: shape (N, side, side); as read, uint8 or, where pixels are fractions, float32; float32 in [0, 1] once
            normalized.
        labels: shape (N,), integers or text as in the file; None for images to predict.
        folds: the number of the fold of each labelled image, or `EXCLUDED`, shape (N,); None before they are split.

    Raises:
        ValueError: the shapes do not match. Without this check, a comparison would broadcast labels of shape (N, 1)
            against (N,) to (N, N), and the accuracy would be wrong.
    """

    images: Array
    labels: NDArray[Any] | None = None
    folds: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        if len(self.images.shape) != 3 or self.images.shape[1] != self.images.shape[2]:
            raise ValueError(f"images have shape {self.images.shape}, not (N, side, side)")
        for name, values in (("labels", self.labels), ("folds", self.folds)):
            if values is not None and values.shape != self.images.shape[:1]:
                raise ValueError(f"{name} have shape {values.shape}, not ({len(self.images)},) as the images")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def side(self) -> int:
        """Height and width of an image, in pixels."""
        return int(self.images.shape[1])

    @property
    def known_labels(self) -> NDArray[Any]:
        """The labels, shape (N,), of a set that has them."""
        assert self.labels is not None
        return self.labels

    @property
    def known_folds(self) -> NDArray[np.uint8]:
        """The folds, shape (N,), of a set that has them."""
        assert self.folds is not None
        return self.folds

    def split(self, fold: int) -> tuple["ImageSet", "ImageSet"]:
        """Return the images of all other folds, to train on, and those of `fold`, to validate on; none is copied."""
        folds = self.known_folds
        return self._rows((folds != fold) & (folds != EXCLUDED)), self._rows(folds == fold)

    def _rows(self, chosen: NDArray[np.bool_]) -> "ImageSet":
        return ImageSet(Rows(self.images, np.flatnonzero(chosen)), self.known_labels[chosen], self.known_folds[chosen])


def count_classes(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many of `labels`, shape (N,), belong to each of the sorted `classes`, shape (C,)."""
    return np.bincount(np.searchsorted(classes, labels), minlength=len(classes))


def background(images: NDArray[Any]) -> float:
    """Return the median of the outermost pixels of `images`, shape (…, height, width)."""
    outermost = np.ones(images.shape[-2:], dtype=np.bool_)
    outermost[1:-1, 1:-1] = False
    return float(np.median(images[..., outermost]))


def write_set(
    folder: Path,
    images: Iterable[NDArray[Any]],
    labels: NDArray[Any] | None = None,
    folds: NDArray[np.uint8] | None = None,
) -> None:
    """Write `images.npy`, and `labels.npy` and `folds.npy` where they are given, shape (N,), to a new folder.

    The images come in parts of shape (n, side, side), so that they need not all be in memory.
    """
    folder.mkdir(parents=True)
    with NpyWriter(folder / "images.npy") as images_npy:
        for part in images:
            images_npy.append(part)
    for name, values in (("labels", labels), ("folds", folds)):
        if values is not None:
            with NpyWriter(folder / f"{name}.npy") as values_npy:
                values_npy.append(values)


def open_set(folder: Path) -> ImageSet:
    """Open a set that `write_set` wrote to `folder`, without reading the images into memory."""
    of_each = {name: folder / f"{name}.npy" for name in ("labels", "folds")}
    return ImageSet(
        np.load(folder / "images.npy", mmap_mode="r"),
        **{name: np.load(path) for name, path in of_each.items() if path.exists()},
    )
