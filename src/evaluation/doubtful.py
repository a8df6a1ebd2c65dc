"""Labels that look wrong, because the out-of-fold predictions contradict them with confidence."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.core import arrays
from src.core.arrays import Array


def doubtful_labels(out_of_fold: Array, labels: NDArray[Any], classes: NDArray[Any]) -> pd.DataFrame:
    """Return a row for each doubtful label, the most doubtful first.

    A label is doubtful if another class is predicted, with at least the mean probability that this class gets on the
    images that are labelled with it: these are the off-diagonal counts of the confident joint. They are ranked by the
    margin, the probability of the predicted class less that of the label. Northcutt, C. G., Jiang, L. & Chuang, I. L.
    (2021), Confident learning: estimating uncertainty in dataset labels, JAIR 70.

    Args:
        out_of_fold: probabilities, shape (N, seeds, C); NaN for an image that is not validated.
        labels: shape (N,).
        classes: sorted, shape (C,).

    Returns:
        The columns `row`, in the file and counted from 1, `label`, `predicted`, and the probabilities of these two,
        `label_probability` and `confidence`, which are means over the seeds.
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
    validated = np.flatnonzero(~np.isnan(of_label))
    counts, sums = np.bincount(codes[validated]), np.bincount(codes[validated], of_label[validated])
    typical = np.full(len(classes), np.inf)  # a class without a validation image has no typical probability
    np.divide(sums, counts, out=typical[: len(counts)], where=counts > 0)
    doubtful = validated[(predicted != codes)[validated] & (of_predicted[validated] >= typical[predicted[validated]])]
    ranked = doubtful[np.argsort(of_label[doubtful] - of_predicted[doubtful], kind="stable")]
    return pd.DataFrame(
        {
            "row": ranked + 1,
            "label": labels[ranked],
            "predicted": classes[predicted[ranked]],
            "label_probability": of_label[ranked],
            "confidence": of_predicted[ranked],
        }
    )
