"""How good predictions are: every figure is over images, none over batches."""

from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.jsonfile import Metrics
from src.prediction import Prediction


def accuracy(predicted: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the share, in [0, 1], of `predicted` labels (N,) that equal `labels` (N,).

    Raises:
        ValueError: the shapes differ; numpy would broadcast (N, 1) against (N,) to (N, N) and be silent.
    """
    if predicted.shape != labels.shape or labels.ndim != 1:
        raise ValueError(f"predicted labels have shape {predicted.shape} and labels {labels.shape}; both must be (N,)")
    return float(np.mean(predicted == labels))


def score(prediction: Prediction, labels: NDArray[Any]) -> Metrics:
    """Score the ensemble and each seed against the true `labels`, shape (N,).

    Returns:
        Of the ensemble: accuracy with its 95 % Wilson interval, the number of errors, log loss (nats an image), and
        precision and recall of each class. Of the seeds: each one's accuracy, and of several of them the mean and
        the sample standard deviation. Where there are no images, only that.
    """
    if len(labels) == 0:
        return {"images": 0}
    classes, predicted = prediction.classes, prediction.labels
    right = int(np.sum(predicted == labels))
    low, high = wilson(right, len(labels))
    precision, recall = precision_and_recall(predicted, labels, classes)
    return {
        "images": len(labels),
        "errors": len(labels) - right,
        "accuracy": accuracy(predicted, labels),
        "accuracy_interval": {"low": low, "high": high},
        "log_loss": log_loss(prediction, labels),
        "accuracy_of_seed": _of_seeds(prediction, labels),
        "precision": dict(zip(map(str, classes), map(float, precision), strict=True)),
        "recall": dict(zip(map(str, classes), map(float, recall), strict=True)),
    }


def wilson(right: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the ends of the interval for a share of which `right` of `total` independent images were seen.

    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = right / total
    scale = 1 + z**2 / total
    centre = (share + z**2 / (2 * total)) / scale
    margin = z * sqrt(share * (1 - share) / total + z**2 / (4 * total**2)) / scale
    return centre - margin, centre + margin


def log_loss(prediction: Prediction, labels: NDArray[Any]) -> float:
    """Return the mean of -ln p of the true class, in nats; a p of 0 counts as the least that float32 tells from 0."""
    of_truth = prediction.probabilities[np.arange(len(labels)), np.searchsorted(prediction.classes, labels)]
    return float(-np.log(np.maximum(of_truth, np.finfo(np.float32).tiny), dtype=np.float64).mean())


def precision_and_recall(
    predicted: NDArray[Any], labels: NDArray[Any], classes: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both for each class, in [0, 1], shape (C,); 0 for a class that was never predicted or never there."""
    chosen, true = (rows[:, None] == classes for rows in (predicted, labels))
    right = np.sum(chosen & true, axis=0)
    return right / np.maximum(chosen.sum(axis=0), 1), right / np.maximum(true.sum(axis=0), 1)


def _of_seeds(prediction: Prediction, labels: NDArray[Any]) -> Metrics:
    each = {
        str(seed): accuracy(prediction.classes[probabilities.argmax(axis=1)], labels)
        for seed, probabilities in prediction.by_seed.items()
    }
    if len(each) == 1:
        return each
    values = list(each.values())
    return each | {"mean": float(np.mean(values)), "standard_deviation": float(np.std(values, ddof=1))}
