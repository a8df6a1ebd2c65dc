"""Assign labelled images to folds."""

from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from src.core.errors import UserError
from src.core.params import Section
from src.data.competition import TRAIN
from src.data.images import count_classes


class SplitParams(Section):
    """Section `split` of params.yaml.

    Attributes:
        n_splits: the number of folds, as equal in size as can be; 5 train on 80 % of the images and validate on 20 %.
        shuffle: draw each fold at random, with about the same share of each class (scikit-learn's `StratifiedKFold`);
            otherwise the folds are consecutive rows of the file (`KFold`).
        seed: of the random order; it has no effect without `shuffle`.
    """

    n_splits: Annotated[int, Field(ge=2, le=100)]
    shuffle: bool
    seed: Annotated[int, Field(ge=0, lt=2**32)]


def assign(labels: NDArray[Any], params: SplitParams) -> NDArray[np.uint8]:
    """Return the fold of each labelled image, shape (N,), numbered from 0; `labels` has shape (N,).

    Raises:
        UserError: there are fewer images than folds; or, with `shuffle`, fewer of some class; or, without it, the file
            is sorted such that all images of a class are in one fold, so that who trains on the others never sees it.
    """
    # imported here: it takes a second, and `src.check` needs only the parameters
    from sklearn.model_selection import KFold, StratifiedKFold

    if len(labels) < params.n_splits:
        raise UserError(
            f"params.yaml: split.n_splits: {params.n_splits} folds are more than the {len(labels)} labelled images; "
            "lower it"
        )
    classes, codes = np.unique(labels, return_inverse=True)
    counts = np.bincount(codes)
    if params.shuffle and counts.min() < params.n_splits:
        raise UserError(
            f"{TRAIN}: the class {classes[counts.argmin()]} has {counts.min()} images, fewer than split.n_splits, "
            f"{params.n_splits}: lower that in params.yaml, or set split.shuffle to false"
        )
    splitter = (
        StratifiedKFold(params.n_splits, shuffle=True, random_state=params.seed)
        if params.shuffle
        else KFold(params.n_splits)
    )
    folds = np.empty(len(labels), dtype=np.uint8)
    for fold, (_, validates) in enumerate(splitter.split(codes, codes)):
        folds[validates] = fold
    _refuse_sorted(classes, count_by_fold(labels, folds), params.n_splits)
    return folds


def count_by_fold(labels: NDArray[Any], folds: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many images of each class, sorted, every fold has, shape (C, folds)."""
    classes = np.unique(labels)
    return np.stack([count_classes(labels[folds == fold], classes) for fold in range(folds.max() + 1)], axis=1)


def class_balance(labels: NDArray[Any], folds: NDArray[np.uint8]) -> pd.DataFrame:
    """Return a row for each class: `class`, its `images`, and those in the `smallest_fold` and the `largest_fold`."""
    counts = count_by_fold(labels, folds)
    return pd.DataFrame(
        {
            "class": np.unique(labels),
            "images": counts.sum(axis=1),
            "smallest_fold": counts.min(axis=1),
            "largest_fold": counts.max(axis=1),
        }
    )


def _refuse_sorted(classes: NDArray[Any], counts: NDArray[np.int64], n_splits: int) -> None:
    for label, of_class in zip(classes, counts, strict=True):
        if of_class.sum() >= n_splits and np.count_nonzero(of_class) == 1:
            raise UserError(
                f"{TRAIN} is sorted by label: all {of_class.sum()} images of the class {label} are in fold "
                f"{of_class.argmax()}, and a model that is validated there has seen none of them; set split.shuffle to "
                "true in params.yaml"
            )
