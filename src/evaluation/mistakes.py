"""The wrong predictions, and the labels among them that look wrong themselves."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.core import arrays
from src.core.arrays import Array


def mistakes(out_of_fold: Array, labels: NDArray[Any], classes: NDArray[Any]) -> pd.DataFrame:
    """Return a row for each wrong prediction: first those whose label is doubtful, and of these the surest first.

    A label is doubtful if another class is predicted with at least the mean probability that this class gets on the
    images that are labelled with it. These are the off-diagonal counts of the confident joint: Northcutt, C. G., Jiang,
    L. & Chuang, I. L. (2021), Confident learning: estimating uncertainty in dataset labels, JAIR 70. How sure a
    prediction is, is its margin: the probability of the predicted class less that of the label.

    Args:
        out_of_fold: probabilities, shape (N, seeds, C); NaN for an image that is not validated.
        labels: shape (N,).
        classes: sorted, shape (C,).

    Returns:
        The columns `row`, in the file and counted from 1, `label`, `predicted`, the probabilities of these two,
        `label_probability` and `confidence`, which are means over the seeds, and `doubtful`, 1 or 0.
    """
    codes = np.searchsorted(classes, labels)
    predicted = np.empty(len(labels), dtype=np.int64)
    of_label, of_predicted = np.empty((2, len(labels)), dtype=np.float32)
    start = 0
    for part in arrays.parts(out_of_fold):
        block = slice(start, start + len(part))
        mean = part.mean(axis=1)
        predicted[block], of_predicted[block] = mean.argmax(axis=1), mean.max(axis=1)
        of_label[block] = np.take_along_axis(mean, codes[block, None], axis=1)[:, 0]
        start += len(part)
    validated = ~np.isnan(of_label)
    counts = np.bincount(codes[validated], minlength=len(classes))
    # a class without a validation image has no such mean, and NaN makes no label doubtful
    with np.errstate(invalid="ignore"):
        typical = np.bincount(codes[validated], of_label[validated], minlength=len(classes)) / counts
    wrong = np.flatnonzero(validated & (predicted != codes))
    doubtful = of_predicted[wrong] >= typical[predicted[wrong]]
    order = np.lexsort((of_label[wrong] - of_predicted[wrong], ~doubtful))
    ranked = wrong[order]
    return pd.DataFrame(
        {
            "row": ranked + 1,
            "label": labels[ranked],
            "predicted": classes[predicted[ranked]],
            "label_probability": of_label[ranked],
            "confidence": of_predicted[ranked],
            "doubtful": doubtful[order].astype(int),
        }
    )
