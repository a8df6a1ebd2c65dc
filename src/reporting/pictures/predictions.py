"""Pictures of the test images, before and after preprocessing, and of their predictions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.core import arrays
from src.data.images import ImageSet
from src.reporting.pictures.style import GRID, Picture, image_grid, names_of


def least_confident(test_set: ImageSet, of_members: NDArray[np.float32], classes: NDArray[Any]) -> Picture:
    """Draw the test images with their predictions, lowest confidence first.

    Args:
        test_set: the images, without labels.
        of_members: the probabilities that each member gives each image, shape (N, members, C).
        classes: shape (C,).
    """
    parts = arrays.parts(of_members, doing="looking for the least confident predictions")
    confidence = np.concatenate([part.mean(axis=1).max(axis=1) for part in parts])
    first = np.argsort(confidence, kind="stable")[:GRID]
    names, labels = names_of(classes), classes[of_members[first].mean(axis=1).argmax(axis=1)]
    captions = [f"{names[str(label)]}\n{confidence[index]:.2f}" for index, label in zip(first, labels, strict=True)]
    text = f"The {len(first)} of {len(test_set):,} test images with the lowest confidence, from "
    return Picture(
        f"{text}{confidence[first[0]]:.2f} to {confidence[first[-1]]:.2f}.",
        image_grid("Least confident test images: predicted label, confidence", test_set.images[first], captions),
    )


def before_and_after(test_set: ImageSet, preprocessed: NDArray[np.float32]) -> Picture:
    """Draw the first test images, each beside its preprocessed image.

    Args:
        test_set: the images as they are.
        preprocessed: the first of them after the recipe's preprocessing, shape (n, side, side).
    """
    originals = test_set.images[: len(preprocessed)]
    if np.array_equal(originals, preprocessed):
        return Picture("The recipe has no preprocessing: the network sees the images as they are.")
    pairs = [image for pair in zip(originals, preprocessed, strict=True) for image in pair]
    changed = np.abs(originals - preprocessed).mean()
    text = (
        f"The first {len(originals)} test images before and after preprocessing, which changes a pixel by {changed:.2f}"
    )
    captions = ["before", "after"] * len(originals)
    return Picture(f"{text} on average.", image_grid("Test images before and after preprocessing", pairs, captions))
