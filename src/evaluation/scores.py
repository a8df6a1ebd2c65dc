"""Scores of out-of-fold predictions against labels: every score is over images, not over batches or folds."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.core.errors import UserError
from src.core.metrics import Metrics


class Scores:
    """The scores of the predictions, and of each network on the images of its own fold, gathered from blocks of images.

    Args:
        classes: the label of each class, sorted, shape (C,).
        folds: the validation folds.
        seeds: ascending; each fold has one network for each seed.
    """

    def __init__(self, classes: NDArray[Any], folds: Sequence[int], seeds: Sequence[int]) -> None:
        self._classes, self._folds, self._seeds = classes, folds, seeds
        self._confusion: NDArray[np.int64] = np.zeros((len(classes), len(classes)), dtype=np.int64)  # label, prediction
        self._log_loss = 0.0  # summed over the images
        self._images: Counter[int] = Counter()  # of each fold
        self._errors: Counter[tuple[int, int]] = Counter()  # of each fold and seed
        self._log_losses: defaultdict[tuple[int, int], float] = defaultdict(float)  # of each, summed over its images

    def add(
        self, probabilities: NDArray[np.float32], labels: NDArray[Any], folds: NDArray[np.uint8], start: int = 0
    ) -> dict[str, NDArray[Any]]:
        """Count a block of images and return columns with a row for each of them that is validated.

        Args:
            probabilities: of the networks of the image's own fold, shape (n, seeds, C); NaN where it has none.
            labels: shape (n,).
            folds: the fold of each image, shape (n,).
            start: how many images come before the block.

        Returns:
            The columns `row`, in the file and counted from 1, `label`, `predicted`, and the probabilities of these
            two, `label_probability` and `confidence`, which are means over the seeds.

        Raises:
            UserError: other images are predicted than those of the validation folds, or by other seeds.
            ValueError: the shapes differ; numpy would silently broadcast (n, 1) against (n,) to (n, n).
        """
        if labels.shape != folds.shape or probabilities.shape[::2] != (*labels.shape, len(self._classes)):
            raise ValueError(
                f"probabilities have shape {probabilities.shape}, labels {labels.shape} and folds {folds.shape}"
            )
        validated = np.isin(folds, self._folds)
        if probabilities.shape[1] != len(self._seeds) or (np.isnan(probabilities[..., 0]) == validated[:, None]).any():
            raise UserError(
                "the predictions are not those of the folds and seeds in params.yaml, so some may be of images that "
                "the network was trained on; run `dvc repro --force predict`"
            )
        probabilities, labels, folds = probabilities[validated], labels[validated], folds[validated]
        mean = probabilities.mean(axis=1)
        codes, predicted = np.searchsorted(self._classes, labels), mean.argmax(axis=1)
        np.add.at(self._confusion, (codes, predicted), 1)
        self._log_loss += sum_of_log_loss(mean, codes)
        for fold in np.unique(folds).tolist():
            own = folds == fold
            self._images[fold] += int(own.sum())
            for number, seed in enumerate(self._seeds):
                alone = probabilities[own, number]
                self._errors[fold, seed] += int(np.sum(alone.argmax(axis=1) != codes[own]))
                self._log_losses[fold, seed] += sum_of_log_loss(alone, codes[own])
        return {
            "row": np.flatnonzero(validated) + start + 1,
            "label": labels,
            "predicted": self._classes[predicted],
            "label_probability": np.take_along_axis(mean, codes[:, None], axis=1)[:, 0],
            "confidence": mean.max(axis=1),
        }

    def metrics(self) -> Metrics:
        """Return accuracy, the ends of its 95 % Wilson interval, errors, images, and the log loss in nats per image."""
        images = int(self._confusion.sum())
        return _scores(images, images - int(np.trace(self._confusion)), self._log_loss)

    def of_classes(self) -> dict[str, NDArray[Any]]:
        """Return precision and recall of each class, in [0, 1]; NaN if it is never predicted or never occurs."""
        correct = self._confusion.diagonal()
        with np.errstate(invalid="ignore"):  # 0 of 0 is NaN
            precision, recall = (correct / self._confusion.sum(axis=axis) for axis in (0, 1))
        return {"class": self._classes, "precision": precision, "recall": recall}

    def of_members(self) -> dict[str, NDArray[Any]]:
        """Return columns with a row for each network: its fold and seed, and what `metrics` returns for its fold."""
        rows = [
            {"member": f"{fold}-{seed}", "fold": fold, "seed": seed}
            | _scores(self._images[fold], self._errors[fold, seed], self._log_losses[fold, seed])
            for fold in self._folds
            for seed in self._seeds
        ]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def sum_of_log_loss(probabilities: NDArray[np.float32], codes: NDArray[np.int64]) -> float:
    """Return the log loss in nats, summed over the images.

    A probability of 0 counts as the smallest one that float64 tells from 0 beside 1, as in scikit-learn.

    Args:
        probabilities: shape (n, C); they need not sum to exactly 1.
        codes: the class of each label, shape (n,).
    """
    exact = probabilities.astype(np.float64)
    of_labels = np.take_along_axis(exact, codes[:, None], axis=1)[:, 0] / exact.sum(axis=1)
    smallest = np.finfo(np.float64).eps
    return -float(np.log(of_labels.clip(smallest, 1 - smallest)).sum())


def _scores(images: int, errors: int, log_loss: float) -> dict[str, float]:
    low, high = interval(images - errors, images)
    return {
        "accuracy": (images - errors) / images,
        "ci_low": low,
        "ci_high": high,
        "errors": errors,
        "images": images,
        "log_loss": log_loss / images,
    }


def interval(correct: int, images: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of an accuracy.

    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    z = NormalDist().inv_cdf(0.975)
    accuracy, scale = correct / images, images + z**2
    center, half = (correct + z**2 / 2) / scale, z / scale * math.sqrt(images * accuracy * (1 - accuracy) + z**2 / 4)
    return 0.0 if correct == 0 else center - half, 1.0 if correct == images else center + half
