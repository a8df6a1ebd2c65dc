import numpy as np
import pytest

from src.core.errors import UserError
from src.preparation.splitting import SplitParams, class_balance, split


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("fraction", "size"), [(0.8, 8), (0.75, 8), (0.1, 1), (1.0, 10)])
def test_every_image_is_in_exactly_one_set(fraction: float, size: int, shuffle: bool) -> None:
    sets = split(10, SplitParams(train_fraction=fraction, shuffle=shuffle, seed=0))
    assert [len(chosen) for chosen in sets.values()] == [size, 10 - size]
    assert sorted(np.concatenate([sets["train"], sets["validation"]])) == list(range(10))


def test_without_shuffle_the_file_order_stays() -> None:
    sets = split(5, SplitParams(train_fraction=0.8, shuffle=False, seed=0))
    assert list(sets["train"]) == [0, 1, 2, 3]


def test_the_seed_decides_the_order() -> None:
    first, again, other = (
        split(50, SplitParams(train_fraction=0.8, shuffle=True, seed=seed))["train"] for seed in (1, 1, 2)
    )
    assert list(first) == list(again) != list(other)


def test_a_fraction_that_leaves_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(UserError, match=r"split\.train_fraction"):
        split(3, SplitParams(train_fraction=0.1, shuffle=False, seed=0))


def test_classes_are_counted_per_set() -> None:
    balance = class_balance({"train": np.array(["a", "a", "b"]), "validation": np.array(["b", "b"])})
    assert balance.to_dict("list") == {"class": ["a", "b"], "train": [2, 1], "validation": [0, 2]}
