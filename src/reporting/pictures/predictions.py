"""Pictures of the predictions on the test set."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.data.images import ImageSet
from src.reporting.pictures.style import GRID, Picture, image_grid, shorten


def least_confident(test_set: ImageSet, probabilities: NDArray[np.float32], classes: NDArray[Any]) -> Picture:
    """Draw the test images with their predictions, lowest confidence first.

    Args:
        test_set: the images, without labels.
        probabilities: of each image for each class, shape (N, C).
        classes: shape (C,).
    """
    confidence = probabilities.max(axis=1)
    first = np.argsort(confidence, kind="stable")[:GRID]
    labels = classes[probabilities.argmax(axis=1)]
    captions = [f"{shorten(str(labels[index]))}\n{confidence[index]:.2f}" for index in first]
    text = f"The {len(first)} of {len(test_set):,} test images with the lowest confidence, from "
    return Picture(
        f"{text}{confidence[first[0]]:.2f} to {confidence[first[-1]]:.2f}.",
        image_grid("Least confident test images: predicted label, confidence", test_set.images[first], captions),
    )
