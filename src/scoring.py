"""How good predictions are: every figure is over images, none over batches."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import log_loss, precision_recall_fscore_support

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
    interval = binomtest(right, len(labels)).proportion_ci(0.95, method="wilson")
    probabilities = prediction.probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    precision, recall, _, _ = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0.0)
    return {
        "images": len(labels),
        "errors": len(labels) - right,
        "accuracy": accuracy(predicted, labels),
        "accuracy_interval": {"low": float(interval.low), "high": float(interval.high)},
        "log_loss": float(log_loss(labels, probabilities, labels=classes)),
        "accuracy_of_seed": _of_seeds(prediction, labels),
        "precision": dict(zip(map(str, classes), map(float, precision), strict=True)),
        "recall": dict(zip(map(str, classes), map(float, recall), strict=True)),
    }


def _of_seeds(prediction: Prediction, labels: NDArray[Any]) -> Metrics:
    each = {
        str(seed): accuracy(prediction.classes[probabilities.argmax(axis=1)], labels)
        for seed, probabilities in prediction.by_seed.items()
    }
    if len(each) == 1:
        return each
    values = list(each.values())
    return each | {"mean": float(np.mean(values)), "standard_deviation": float(np.std(values, ddof=1))}
