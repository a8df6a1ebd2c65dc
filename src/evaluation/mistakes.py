"""The wrong predictions, and the doubtful labels among them."""

import numpy as np
import pandas as pd

DOUBTFUL = 0.5
"""The smallest margin of a doubtful label."""


def rank(wrong: pd.DataFrame) -> pd.DataFrame:
    """Return the wrong predictions, largest margin first, with a column `doubtful`, 1 or 0.

    The margin is the probability of the predicted class minus that of the label. Confident learning ranks labels by it:
    Northcutt, C. G., Jiang, L. & Chuang, I. L. (2021), Confident learning: estimating uncertainty in dataset labels,
    JAIR 70. A label is doubtful if its margin is at least `DOUBTFUL`. With an accurate model, fewer labels are wrong
    than are doubtful. The paper's thresholds, the mean probability of each class on its own images, find too few:
    networks that are trained with label smoothing rarely give an unusual image so high a probability.

    Args:
        wrong: rows of `Scores.add` whose prediction is not the label, in the order of the file.
    """
    margin = wrong["confidence"] - wrong["label_probability"]
    return wrong.assign(doubtful=(margin >= DOUBTFUL).astype(int)).iloc[np.argsort(-margin, kind="stable")]
