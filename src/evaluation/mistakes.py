"""The wrong predictions, and the doubtful labels among them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

DOUBTFUL = 0.5
"""The smallest margin of a doubtful label."""


def wrong_rows(rows: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the rows of `Scores.add` whose prediction is not the label."""
    wrong = rows["label"] != rows["predicted"]
    return {name: column[wrong] for name, column in rows.items()}


def rank(blocks: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Return the wrong predictions, largest margin first, with a column `doubtful`, 1 or 0.

    The margin is the probability of the predicted class minus that of the label. Confident learning ranks labels by it:
    Northcutt, C. G., Jiang, L. & Chuang, I. L. (2021), Confident learning: estimating uncertainty in dataset labels,
    JAIR 70. A label is doubtful if its margin is at least `DOUBTFUL`. With an accurate model, fewer labels are wrong
    than are doubtful. The paper's thresholds, the mean probability of each class on its own images, find too few:
    networks that are trained with label smoothing rarely give an unusual image so high a probability.

    Args:
        blocks: those of each block of images, in the order of the file.
    """
    wrong = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    margin = wrong["confidence"] - wrong["label_probability"]
    order = np.argsort(-margin, kind="stable")
    return {name: column[order] for name, column in (wrong | {"doubtful": (margin >= DOUBTFUL).astype(int)}).items()}
