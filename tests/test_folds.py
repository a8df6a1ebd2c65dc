"""Every labelled image is in one fold, and no fold holds all images of a class."""

from typing import Any

import numpy as np
import pytest

from src.core.errors import UserError
from src.data.images import EXCLUDED, ImageSet
from src.preparation.folds import SplitParams, assign, class_balance, count_by_fold

LETTERS = np.array(["a", "b", "a", "c"] * 13)


def params(**changes: Any) -> SplitParams:
    return SplitParams.model_validate({"n_splits": 5, "shuffle": False, "seed": 0, "exclude": []} | changes)


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_image_is_in_one_of_folds_that_differ_by_one_image_at_most(shuffle: bool) -> None:
    folds = assign(LETTERS, params(shuffle=shuffle))
    assert folds.shape == LETTERS.shape and folds.dtype == np.uint8
    assert sorted(np.bincount(folds)) == [10, 10, 10, 11, 11]


def test_without_shuffle_a_fold_is_consecutive_rows_and_the_last_is_the_last_fifth() -> None:
    assert assign(LETTERS[:20], params(seed=3)).tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4


def test_with_shuffle_every_fold_has_its_share_of_each_class_and_the_seed_decides_which_images() -> None:
    first, again, other = (assign(LETTERS, params(shuffle=True, seed=seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert first != sorted(first)
    counts = count_by_fold(LETTERS, np.array(first))
    assert counts.sum(axis=1).tolist() == [26, 13, 13]
    assert (counts.max(axis=1) - counts.min(axis=1)).tolist() == [1, 1, 1]


def test_a_file_sorted_by_label_is_refused_unless_it_is_shuffled() -> None:
    labels = np.repeat(["a", "b"], [32, 7])
    with pytest.raises(UserError) as refused:
        assign(labels, params())
    assert str(refused.value) == (
        "train.csv is sorted by label: all 7 images of the class b are in fold 4, and the network that is validated on "
        "it is trained on none of them; set split.shuffle to true in params.yaml"
    )
    assert count_by_fold(labels, assign(labels, params(shuffle=True))).min() == 1


def test_a_class_with_fewer_images_than_folds_may_be_in_one_fold_of_consecutive_rows_but_cannot_be_shuffled() -> None:
    labels = np.array(["a"] * 21 + ["rare"] * 4)
    assert assign(labels, params())[21:].tolist() == [4] * 4
    with pytest.raises(UserError) as refused:
        assign(labels, params(shuffle=True))
    assert str(refused.value) == (
        "train.csv: the class rare has 4 images, fewer than split.n_splits, 5: lower that in params.yaml, or set "
        "split.shuffle to false"
    )


@pytest.mark.parametrize("shuffle", [False, True])
def test_more_folds_than_images_are_refused(shuffle: bool) -> None:
    with pytest.raises(UserError, match=r"^params\.yaml: split\.n_splits: 5 folds are more than the 4 labelled images"):
        assign(LETTERS[:4], params(shuffle=shuffle))


@pytest.mark.parametrize("shuffle", [False, True])
def test_excluded_rows_are_in_no_fold_and_the_others_are_in_folds_of_equal_size(shuffle: bool) -> None:
    folds = assign(LETTERS, params(shuffle=shuffle, exclude=[2, 52]))
    assert np.flatnonzero(folds == EXCLUDED).tolist() == [1, 51]
    assert np.bincount(folds[folds != EXCLUDED]).tolist() == [10] * 5
    assert count_by_fold(LETTERS, folds).sum() == 50


def test_excluded_images_are_neither_trained_on_nor_validated() -> None:
    folds = np.array([0, EXCLUDED, 1, 0], dtype=np.uint8)
    others, own = ImageSet(np.zeros((4, 2, 2)), np.arange(4), folds).split(0)
    assert (others.known_labels.tolist(), own.known_labels.tolist()) == ([2], [0, 3])


@pytest.mark.parametrize(
    ("exclude", "told"),
    [
        ([53], "params.yaml: split.exclude: there is no row 53; train.csv has 52"),
        ([2, *range(6, 53, 4)], "params.yaml: split.exclude: no image of the class b is left; exclude fewer rows"),
    ],
)
def test_rows_that_cannot_be_excluded_are_named(exclude: list[int], told: str) -> None:
    with pytest.raises(UserError) as refused:
        assign(LETTERS, params(exclude=exclude))
    assert str(refused.value) == told


def test_classes_are_counted_in_all_and_in_the_fold_that_has_fewest_and_most() -> None:
    balance = class_balance(np.array(["b", "a", "b", "b", "a"]), np.array([0, 0, 1, 1, 1], dtype=np.uint8))
    assert {name: column.tolist() for name, column in balance.items()} == {
        "class": ["a", "b"],
        "images": [2, 3],
        "smallest_fold": [1, 1],
        "largest_fold": [1, 2],
    }
