"""Assign labelled images to folds."""

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from src.core.errors import UserError
from src.core.params import Section
from src.data.competition.files import TRAIN
from src.data.images import EXCLUDED, count_classes


class SplitParams(Section):
    """Section `split` of params.yaml.

    Attributes:
        n_splits: the number of folds, equal in size up to one image; 5 train on 80 % of the images.
        shuffle: draw each fold at random, with about the same share of each class (scikit-learn's `StratifiedKFold`);
            otherwise the folds are consecutive rows of the file.
        seed: of the random order; it has no effect without `shuffle`.
        exclude: rows of the training file, counted from 1, that are neither trained on nor scored.
    """

    n_splits: Annotated[int, Field(ge=2, le=100)]
    shuffle: bool
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    exclude: list[Annotated[int, Field(ge=1, strict=True)]]


def assign(labels: NDArray[Any], params: SplitParams) -> NDArray[np.uint8]:
    """Return the fold of each labelled image, numbered from 0, or `EXCLUDED`; shape (N,), as `labels`.

    Raises:
        UserError: a row to exclude does not exist, or all rows of a class are excluded; there are fewer images than
            folds; with `shuffle`, a class has fewer images than folds; without it, the file is sorted by label, so
            that all images of a class are in one fold.
    """
    if too_large := [row for row in params.exclude if row > len(labels)]:
        raise UserError(f"params.yaml: split.exclude: there is no row {too_large[0]}; {TRAIN} has {len(labels)}")
    folds = np.zeros(len(labels), dtype=np.uint8)
    folds[np.array(params.exclude, dtype=np.int64) - 1] = EXCLUDED
    included = np.flatnonzero(folds != EXCLUDED)
    if len(included) < params.n_splits:
        raise UserError(
            f"params.yaml: split.n_splits: {params.n_splits} folds are more than the {len(included)} labelled images; "
            "lower it"
        )
    if lost := sorted({*labels.tolist()} - {*labels[included].tolist()}):
        raise UserError(f"params.yaml: split.exclude: no image of the class {lost[0]} is left; exclude fewer rows")
    for fold, rows in enumerate(
        _stratified(labels[included], params) if params.shuffle else _consecutive(len(included), params)
    ):
        folds[included[rows]] = fold
    _refuse_sorted(np.unique(labels), count_by_fold(labels, folds), params.n_splits)
    return folds


def _consecutive(count: int, params: SplitParams) -> list[NDArray[np.int64]]:
    return np.array_split(np.arange(count), params.n_splits)


def _stratified(labels: NDArray[Any], params: SplitParams) -> Iterator[NDArray[np.int64]]:
    from sklearn.model_selection import StratifiedKFold  # takes a second, and most splits do without

    classes, codes = np.unique(labels, return_inverse=True)
    counts = np.bincount(codes)
    if counts.min() < params.n_splits:
        raise UserError(
            f"{TRAIN}: the class {classes[counts.argmin()]} has {counts.min()} images, fewer than split.n_splits, "
            f"{params.n_splits}: lower that in params.yaml, or set split.shuffle to false"
        )
    splitter = StratifiedKFold(params.n_splits, shuffle=True, random_state=params.seed)
    return (validates for _, validates in splitter.split(codes, codes))


def count_by_fold(labels: NDArray[Any], folds: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many images of each class, sorted, every fold has, shape (C, folds)."""
    classes, count = np.unique(labels), folds[folds != EXCLUDED].max() + 1
    return np.stack([count_classes(labels[folds == fold], classes) for fold in range(count)], axis=1)


def class_balance(labels: NDArray[Any], folds: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Return columns with a row for each `class`: its `images`, and those in the `smallest_fold` and `largest_fold`."""
    counts = count_by_fold(labels, folds)
    return {
        "class": np.unique(labels),
        "images": counts.sum(axis=1),
        "smallest_fold": counts.min(axis=1),
        "largest_fold": counts.max(axis=1),
    }


def _refuse_sorted(classes: NDArray[Any], counts: NDArray[np.int64], n_splits: int) -> None:
    for label, of_class in zip(classes, counts, strict=True):
        if of_class.sum() >= n_splits and np.count_nonzero(of_class) == 1:
            raise UserError(
                f"{TRAIN} is sorted by label: all {of_class.sum()} images of the class {label} are in fold "
                f"{of_class.argmax()}, and the network that is validated on it is trained on none of them; set "
                "split.shuffle to true in params.yaml"
            )
