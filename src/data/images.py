"""Sets of images with their labels, in memory and on disk."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.core.arrays import NpyWriter


@dataclass(frozen=True)
class ImageSet:
    """Images and, where they are known, their labels.

    Attributes:
        images: shape (N, side, side); uint8 in [0, 255] as read, float32 in [0, 1] once normalized.
        labels: shape (N,), integers or text as in the file; None for images to predict.

    Raises:
        ValueError: the shapes do not match. A label of shape (N, 1) would broadcast against (N,) to (N, N) in a
            comparison and give a wrong accuracy without any error; here it is one.
    """

    images: NDArray[Any]
    labels: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if self.images.ndim != 3 or self.images.shape[1] != self.images.shape[2]:
            raise ValueError(f"images have shape {self.images.shape}, not (N, side, side)")
        if self.labels is not None and self.labels.shape != self.images.shape[:1]:
            raise ValueError(f"labels have shape {self.labels.shape}, not ({len(self.images)},) as the images")

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

    def __getitem__(self, index: Any) -> "ImageSet":
        return ImageSet(self.images[index], None if self.labels is None else self.labels[index])


def classes_of(*labelled_sets: ImageSet) -> NDArray[Any]:
    """Return the sorted labels that occur in any of the sets, shape (C,)."""
    return np.unique(np.concatenate([np.unique(labelled.known_labels) for labelled in labelled_sets]))


def count_classes(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many of `labels`, shape (N,), belong to each of the sorted `classes`, shape (C,)."""
    return np.bincount(np.searchsorted(classes, labels), minlength=len(classes))


def write_set(folder: Path, images: Iterable[NDArray[Any]], labels: NDArray[Any] | None) -> None:
    """Write `images.npy` and, where there are labels, shape (N,), `labels.npy` to a new folder.

    The images come in parts of shape (n, side, side), so that they need not all be in memory.
    """
    folder.mkdir(parents=True)
    with NpyWriter(folder / "images.npy") as images_npy:
        for part in images:
            images_npy.append(part)
    if labels is not None:
        with NpyWriter(folder / "labels.npy") as labels_npy:
            labels_npy.append(labels)


def open_set(folder: Path) -> ImageSet:
    """Open a set that `write_set` wrote to `folder`, without reading the images into memory."""
    labels = folder / "labels.npy"
    return ImageSet(
        np.load(folder / "images.npy", mmap_mode="r"),
        np.load(labels) if labels.exists() else None,
    )
