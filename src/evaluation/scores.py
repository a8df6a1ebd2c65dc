"""Scores of predictions against true labels: every figure is over images, none over batches."""

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
        Accuracy with its 95 % Wilson interval, the number of errors, the log loss in nats per image and, of several
        seeds, the mean and the sample standard deviation of their accuracies. Only the number of images where it is 0.

    Raises:
        ValueError: the shapes differ; numpy would broadcast (N, 1) against (N,) to (N, N) without a word.
    """
    if labels.shape != predictions.labels.shape:
        raise ValueError(f"predicted labels have shape {predictions.labels.shape} and labels {labels.shape}")
    if len(labels) == 0:
        return {"images": 0}
    correct = int(accuracy_score(labels, predictions.labels, normalize=False))
    interval = binomtest(correct, len(labels)).proportion_ci(confidence_level=0.95, method="wilson")
    metrics: dict[str, Metrics | float] = {
        "images": len(labels),
        "errors": len(labels) - correct,
        "accuracy": correct / len(labels),
        "accuracy_interval": {"low": float(interval.low), "high": float(interval.high)},
        "log_loss": _log_loss(labels, predictions.probabilities, predictions.classes),
    }
    if len(predictions.by_seed) > 1:
        of_seeds = score_seeds(predictions, labels)["accuracy"]
        metrics["accuracy_of_seeds"] = {"mean": float(of_seeds.mean()), "standard_deviation": float(of_seeds.std())}
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


def score_seeds(predictions: Predictions, labels: NDArray[Any]) -> pd.DataFrame:
    """Return accuracy, errors and log loss of the model of each seed."""
    rows: list[dict[str, float]] = []
    for seed, probabilities in predictions.by_seed.items() if len(labels) else ():
        errors = int(np.sum(predictions.classes[probabilities.argmax(axis=1)] != labels))
        loss = _log_loss(labels, probabilities, predictions.classes)
        rows.append({"seed": seed, "accuracy": 1 - errors / len(labels), "errors": errors, "log_loss": loss})
    return pd.DataFrame(rows, columns=["seed", "accuracy", "errors", "log_loss"])


def _log_loss(labels: NDArray[Any], probabilities: NDArray[np.float32], classes: NDArray[Any]) -> float:
    # in float64: the sums of float32 probabilities differ from 1 by more than scikit-learn expects
    exact = probabilities.astype(np.float64)
    return float(log_loss(labels, exact / exact.sum(axis=1, keepdims=True), labels=classes))
