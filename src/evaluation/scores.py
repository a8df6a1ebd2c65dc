"""Scores of predictions against true labels: every score is over images, not over batches."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, log_loss, precision_recall_fscore_support

from src.core.metrics import Metrics
from src.inference.predictions import Predictions


def score(predictions: Predictions, labels: NDArray[Any]) -> Metrics:
    """Score the ensemble against the true `labels`, shape (N,).

    Returns:
        Accuracy with its 95 % Wilson interval, the number of errors, the log loss in nats per image and, for several
        members, the mean and the sample standard deviation of their accuracies. Only the number of images if it is 0.

    Raises:
        ValueError: the shapes differ; numpy would silently broadcast (N, 1) against (N,) to (N, N).
    """
    if labels.shape != predictions.labels.shape:
        raise ValueError(f"predicted labels have shape {predictions.labels.shape} and labels {labels.shape}")
    if len(labels) == 0:
        return {"images": 0}
    correct = int(accuracy_score(labels, predictions.labels, normalize=False))
    interval = binomtest(correct, len(labels)).proportion_ci(confidence_level=0.95, method="wilson")
    metrics: dict[str, Metrics | float] = {
        "accuracy": correct / len(labels),
        "accuracy_interval": {"low": float(interval.low), "high": float(interval.high)},
        "errors": len(labels) - correct,
        "images": len(labels),
        "log_loss": _log_loss(labels, predictions.probabilities, predictions.classes),
    }
    if len(predictions.by_member) > 1:
        accuracies = score_members(predictions, labels)["accuracy"]
        metrics["accuracy_of_members"] = {
            "mean": float(accuracies.mean()),
            "standard_deviation": float(accuracies.std()),
        }
    return metrics


def score_classes(predictions: Predictions, labels: NDArray[Any]) -> pd.DataFrame:
    """Return precision and recall of each class, in [0, 1]; 0 for a class that is never predicted or never occurs."""
    classes = predictions.classes
    if len(labels) == 0:
        return pd.DataFrame(columns=["class", "precision", "recall"])
    precision, recall, _, _ = precision_recall_fscore_support(
        labels, predictions.labels, labels=classes, zero_division=0
    )
    return pd.DataFrame({"class": classes, "precision": precision, "recall": recall})


def score_members(predictions: Predictions, labels: NDArray[Any]) -> pd.DataFrame:
    """Return accuracy, errors and log loss of each member, and the errors of the ensemble without it.

    The last column is empty where there is only one member.
    """
    rows: list[dict[str, float | str | None]] = []
    for member, probabilities in predictions.by_member.items() if len(labels) else ():
        wrong = _errors(predictions, [member], labels)
        others = [other for other in predictions.by_member if other != member]
        rows.append(
            {
                "member": member,
                "accuracy": 1 - wrong / len(labels),
                "errors": wrong,
                "log_loss": _log_loss(labels, probabilities, predictions.classes),
                "errors_without": _errors(predictions, others, labels) if others else None,
            }
        )
    return pd.DataFrame(rows, columns=["member", "accuracy", "errors", "log_loss", "errors_without"])


def score_pairs(predictions: Predictions, labels: NDArray[Any]) -> pd.DataFrame:
    """Return for each pair of members the errors of their mean, and McNemar's exact p value for their difference.

    McNemar, Q. (1947), Note on the sampling error of the difference between correlated proportions or percentages,
    Psychometrika 12.
    """
    correct = {
        member: predictions.classes[probabilities.argmax(axis=1)] == labels
        for member, probabilities in predictions.by_member.items()
    }
    rows = [
        {
            "first": first,
            "second": second,
            "errors": _errors(predictions, [first, second], labels),
            "p_value": mcnemar(correct[first], correct[second]),
        }
        for first, second in combinations(predictions.by_member, 2)
    ]
    return pd.DataFrame(rows if len(labels) else [], columns=["first", "second", "errors", "p_value"])


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return McNemar's exact p value, given on which images, shape (N,), each of two models is correct."""
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    return float(binomtest(only_first, only_first + only_second).pvalue) if only_first + only_second else 1.0


def _errors(predictions: Predictions, members: list[str], labels: NDArray[Any]) -> int:
    mean = np.mean([predictions.by_member[member] for member in members], axis=0)
    return int(np.sum(predictions.classes[mean.argmax(axis=1)] != labels))


def _log_loss(labels: NDArray[Any], probabilities: NDArray[np.float32], classes: NDArray[Any]) -> float:
    # in float64: the sums of float32 probabilities differ from 1 by more than scikit-learn expects
    exact = probabilities.astype(np.float64)
    return float(log_loss(labels, exact / exact.sum(axis=1, keepdims=True), labels=classes))
