"""Adversarial validation: whether a linear model can distinguish test images from labelled images."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from src.core import arrays
from src.data.images import ImageSet

FOLDS = 5
MAX_SIDE = 32
RIDGE = 1e-3


@dataclass(frozen=True)
class Auc:
    """The area under the ROC curve, in [0, 1], with its 95 % interval; 0.5 is chance."""

    auc: float
    ci_low: float
    ci_high: float


def distinguish(labelled: ImageSet, test: ImageSet) -> Auc:
    """Return how well a linear model distinguishes test images from labelled images, out of fold.

    The model is ridge regression on the pixels. From images larger than 32x32 it takes every second, third … pixel.
    The AUC is the mean over five folds. A fold is every fifth image. The interval is that of Hanley, J. A. & McNeil,
    B. J. (1982), The meaning and use of the area under a receiver operating characteristic (ROC) curve, Radiology 143.
    All values are rounded to four decimals, which are the same on every machine.
    """
    columns = _pixels(labelled.images[:1]).shape[1]
    moments = np.zeros((FOLDS, columns, columns))
    sums = np.zeros((FOLDS, columns))
    for pixels, target, folds in _parts(labelled, test):
        for fold in range(FOLDS):
            own = pixels[folds == fold]
            # whole pixels in float64: the sums are exact, in whatever order the processor adds them
            moments[fold] += own.T @ own
            sums[fold] += target * own.sum(axis=0)
    weights = np.stack(
        [_fit(moments.sum(axis=0) - moments[fold], sums.sum(axis=0) - sums[fold]) for fold in range(FOLDS)]
    )
    scores: dict[int, list[NDArray[np.float64]]] = {-1: [], 1: []}
    for pixels, target, folds in _parts(labelled, test):
        scores[target].append(np.einsum("np,np->n", pixels, weights[folds]))
    negative, positive = (np.concatenate(scores[target]) for target in (-1, 1))
    found = [_auc(negative[fold::FOLDS], positive[fold::FOLDS]) for fold in range(FOLDS)]
    auc = float(np.mean([area for area, _ in found]))
    half = 1.96 * math.sqrt(sum(variance for _, variance in found)) / FOLDS
    return Auc(*(round(value, 4) for value in (auc, max(auc - half, 0), min(auc + half, 1))))


def _parts(labelled: ImageSet, test: ImageSet) -> Iterator[tuple[NDArray[np.float64], int, NDArray[np.int64]]]:
    """Yield pixels, shape (n, columns), with the target -1 of labelled and 1 of test images, and their folds, (n,)."""
    for target, image_set in ((-1, labelled), (1, test)):
        start = 0
        for part in arrays.parts(image_set.images, doing="comparing labelled and test images"):
            yield _pixels(part), target, np.arange(start, start + len(part)) % FOLDS
            start += len(part)


def _pixels(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the pixels of images, and a column of ones for the intercept, shape (n, columns)."""
    step = -(-images.shape[1] // MAX_SIDE)
    pixels = images[:, ::step, ::step].reshape(len(images), -1).astype(np.float64)
    return np.concatenate([pixels, np.ones((len(images), 1))], axis=1)


def _fit(moments: NDArray[np.float64], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of each pixel, and 0 for the intercept, on which the AUC does not depend, shape (columns,)."""
    count, means = moments[-1, -1], moments[-1, :-1] / moments[-1, -1]
    scatter = moments[:-1, :-1] - count * np.outer(means, means)
    penalty = RIDGE * np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    return np.append(np.linalg.solve(scatter + penalty, sums[:-1] - means * sums[-1]), 0)


def _auc(negative: NDArray[np.float64], positive: NDArray[np.float64]) -> tuple[float, float]:
    """Return the probability that a positive score is above a negative one, ties by half, and its variance."""
    ascending = np.sort(negative)
    below = np.searchsorted(ascending, positive, "left") + np.searchsorted(ascending, positive, "right")
    auc = float(below.mean() / 2 / len(negative))
    both_positive, both_negative = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (len(positive) - 1) * (both_positive - auc**2) + (len(negative) - 1) * (both_negative - auc**2)
    return auc, (auc * (1 - auc) + spread) / len(positive) / len(negative)
