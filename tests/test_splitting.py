import numpy as np
import pytest

from src.core.errors import UserError
from src.data.images import ImageSet
from src.preparation.splitting import SplitParams, split


def labelled(count: int) -> ImageSet:
    return ImageSet(np.arange(count * 4, dtype=np.uint8).reshape(count, 2, 2), np.arange(count))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("fraction", "size"), [(0.8, 8), (0.75, 8), (0.1, 1), (1.0, 10)])
def test_every_image_is_in_exactly_one_set(fraction: float, size: int, shuffle: bool) -> None:
    sets = split(labelled(10), SplitParams(train_fraction=fraction, shuffle=shuffle, seed=0))
    assert len(sets["train"]) == size
    both = np.concatenate([sets["train"].known_labels, sets["validation"].known_labels])
    assert sorted(both) == list(range(10))
    assert sets["validation"].images.shape == (10 - size, 2, 2)


def test_without_shuffle_the_file_order_stays() -> None:
    sets = split(labelled(5), SplitParams(train_fraction=0.8, shuffle=False, seed=0))
    assert list(sets["train"].known_labels) == [0, 1, 2, 3]


def test_the_seed_decides_the_order_and_labels_stay_with_their_images() -> None:
    first, again, other = (
        split(labelled(50), SplitParams(train_fraction=0.8, shuffle=True, seed=seed))["train"] for seed in (1, 1, 2)
    )
    assert list(first.known_labels) == list(again.known_labels) != list(other.known_labels)
    assert list(first.images[:, 0, 0]) == [4 * label for label in first.known_labels]


def test_a_fraction_that_leaves_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(UserError, match=r"split\.train_fraction"):
        split(labelled(3), SplitParams(train_fraction=0.1, shuffle=False, seed=0))
