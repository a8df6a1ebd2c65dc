"""Scores of predictions against true labels: every score is over images, not over batches."""

from collections import Counter, defaultdict
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from src.core.metrics import Metrics
from src.inference.predictions import Predictions


class Scores:
    """The scores of the ensemble, of each of its members and of each pair of them, gathered from blocks of images.

    Attributes:
        images: how many have been counted so far.
    """

    def __init__(self) -> None:
        self.images = 0
        self._classes: NDArray[Any] = np.array([])
        self._members: list[str] = []
        self._confusion: NDArray[np.int64] = np.zeros((0, 0), dtype=np.int64)  # of the ensemble: label, prediction
        self._errors: Counter[tuple[str, ...]] = Counter()  # of the mean over some of the members
        self._only_first: Counter[tuple[str, str]] = Counter()  # images on which the first of a pair alone is correct
        self._log_loss: defaultdict[tuple[str, ...], float] = defaultdict(float)  # its sum over the images

    def add(self, predictions: Predictions, labels: NDArray[Any]) -> None:
        """Count a block of images with their true `labels`, shape (N,).

        Raises:
            ValueError: the shapes differ; numpy would silently broadcast (N, 1) against (N,) to (N, N).
        """
        if labels.shape != (len(predictions),):
            raise ValueError(f"predicted labels have shape {predictions.labels.shape} and labels {labels.shape}")
        if len(labels) == 0:
            return
        if self.images == 0:
            self._classes, self._members = predictions.classes, [*predictions.by_member]
            self._confusion = np.zeros((len(self._classes), len(self._classes)), dtype=np.int64)
        self.images += len(labels)
        self._confusion += confusion_matrix(labels, predictions.labels, labels=self._classes)
        alone, pairs = [(member,) for member in self._members], [*combinations(self._members, 2)]
        for some in {*alone, *pairs, *map(self._others, self._members)}:
            self._errors[some] += int(np.sum(self._labels(predictions, some) != labels))
        for first, second in pairs:
            only = (self._labels(predictions, (first,)) == labels) & (self._labels(predictions, (second,)) != labels)
            self._only_first[first, second] += int(np.sum(only))
        for some in {*alone, (*self._members,)}:
            # in float64: the sums of float32 probabilities differ from 1 by more than scikit-learn expects
            exact = _mean(predictions, some).astype(np.float64)
            exact /= exact.sum(axis=1, keepdims=True)
            self._log_loss[some] += float(log_loss(labels, exact, labels=self._classes, normalize=False))

    def metrics(self) -> Metrics:
        """Return the scores of the ensemble.

        Accuracy with its 95 % Wilson interval, the number of errors, the log loss in nats per image and, for several
        members, the mean and the sample standard deviation of their accuracies. Only the number of images where it is
        0.
        """
        if self.images == 0:
            return {"images": 0}
        correct = int(np.trace(self._confusion))
        interval = binomtest(correct, self.images).proportion_ci(confidence_level=0.95, method="wilson")
        metrics: dict[str, Metrics | float] = {
            "accuracy": correct / self.images,
            "accuracy_interval": {"low": float(interval.low), "high": float(interval.high)},
            "errors": self.images - correct,
            "images": self.images,
            "log_loss": self._log_loss[*self._members,] / self.images,
        }
        if len(self._members) > 1:
            accuracies = self.of_members()["accuracy"]
            metrics["accuracy_of_members"] = {
                "mean": float(accuracies.mean()),
                "standard_deviation": float(accuracies.std()),
            }
        return metrics

    def of_classes(self) -> pd.DataFrame:
        """Return precision and recall of each class, in [0, 1]; 0 for a class never predicted or that never occurs."""
        if self.images == 0:
            return pd.DataFrame(columns=["class", "precision", "recall"])
        count = len(self._classes)
        # each cell of the confusion matrix stands for its images
        precision, recall, _, _ = precision_recall_fscore_support(
            np.repeat(np.arange(count), count), np.tile(np.arange(count), count), sample_weight=self._confusion.ravel(),
            labels=np.arange(count), zero_division=0,
        )  # fmt: skip
        return pd.DataFrame({"class": self._classes, "precision": precision, "recall": recall})

    def of_members(self) -> pd.DataFrame:
        """Return accuracy, errors and log loss of each member, and the errors of the ensemble without it.

        The last column is empty where there is only one member.
        """
        rows: list[dict[str, float | str | None]] = []
        for member in self._members if self.images else ():
            wrong = self._errors[member,]
            rows.append(
                {
                    "member": member,
                    "accuracy": 1 - wrong / self.images,
                    "errors": wrong,
                    "log_loss": self._log_loss[member,] / self.images,
                    "errors_without": self._errors[self._others(member)] if len(self._members) > 1 else None,
                }
            )
        return pd.DataFrame(rows, columns=["member", "accuracy", "errors", "log_loss", "errors_without"])

    def of_pairs(self) -> pd.DataFrame:
        """Return for each pair of members the errors of their mean, and McNemar's exact p value for their difference.

        McNemar, Q. (1947), Note on the sampling error of the difference between correlated proportions or percentages,
        Psychometrika 12.
        """
        rows = []
        for (first, second), only_first in self._only_first.items():
            # both are wrong on the same number of images apart from those on which one alone is correct
            only_second = only_first + self._errors[first,] - self._errors[second,]
            errors = self._errors[first, second]
            rows.append(
                {"first": first, "second": second, "errors": errors, "p_value": mcnemar(only_first, only_second)}
            )
        return pd.DataFrame(rows, columns=["first", "second", "errors", "p_value"])

    def _others(self, member: str) -> tuple[str, ...]:
        return tuple(other for other in self._members if other != member) or (member,)

    def _labels(self, predictions: Predictions, some: tuple[str, ...]) -> NDArray[Any]:
        labels: NDArray[Any] = self._classes[_mean(predictions, some).argmax(axis=1)]
        return labels


def _mean(predictions: Predictions, some: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the mean probabilities over some of the members."""
    mean: NDArray[np.float32] = np.mean([predictions.by_member[member] for member in some], axis=0)
    return mean


def mcnemar(only_first: int, only_second: int) -> float:
    """Return McNemar's exact p value, given the numbers of images on which one of two models alone is correct."""
    return float(binomtest(only_first, only_first + only_second).pvalue) if only_first + only_second else 1.0
