"""The wrong predictions, and the labels among them that look wrong themselves."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.core import arrays
from src.core.arrays import Array

DOUBTFUL = 0.5
"""The smallest margin of a doubtful label."""


def mistakes(out_of_fold: Array, labels: NDArray[Any], classes: NDArray[Any]) -> pd.DataFrame:
    """Return a row for each wrong prediction, largest margin first.

    The margin is the probability of the predicted class minus that of the label. Confident learning ranks labels by it:
    Northcutt, C. G., Jiang, L. & Chuang, I. L. (2021), Confident learning: estimating uncertainty in dataset labels,
    JAIR 70. A label is doubtful if its margin is at least `DOUBTFUL`. With an accurate model, fewer labels are wrong
    than are doubtful. The paper's thresholds, the mean probability of each class on its own images, find too few:
    networks that are trained with label smoothing rarely give an unusual image so high a probability.

    Args:
        out_of_fold: probabilities, shape (N, seeds, C); NaN for an image that is not validated.
        labels: shape (N,).
        classes: sorted, shape (C,).

    Returns:
        The columns `row`, in the file and counted from 1, `label`, `predicted`, the probabilities of these two,
        `label_probability` and `confidence`, which are means over the seeds, and `doubtful`, 1 or 0.
    """
    codes = np.searchsorted(classes, labels)
    rows, predicted, of_label, of_predicted = [], [], [], []
    start = 0
    for part in arrays.parts(out_of_fold):
        mean, own = part.mean(axis=1), codes[start : start + len(part)]
        guess = mean.argmax(axis=1)
        wrong = np.flatnonzero((guess != own) & ~np.isnan(mean[:, 0]))
        rows.append(start + wrong)
        predicted.append(guess[wrong])
        of_label.append(mean[wrong, own[wrong]])
        of_predicted.append(mean[wrong, guess[wrong]])
        start += len(part)
    found = pd.DataFrame(
        {
            "row": np.concatenate(rows) + 1,
            "label": labels[np.concatenate(rows)],
            "predicted": classes[np.concatenate(predicted)],
            "label_probability": np.concatenate(of_label),
            "confidence": np.concatenate(of_predicted),
        }
    )
    margin = found["confidence"] - found["label_probability"]
    return found.assign(doubtful=(margin >= DOUBTFUL).astype(int)).iloc[np.argsort(-margin, kind="stable")]
