from pathlib import Path

import numpy as np
import pytest

from src.data import images
from src.data.images import ImageSet
from src.preparation.normalizing import normalize, pixel_statistics


def test_labels_as_a_column_are_an_error() -> None:
    """The notebook's bug: (N, 1) against (N,) broadcasts to (N, N) and gives a wrong accuracy in silence."""
    with pytest.raises(ValueError, match=r"\(3, 1\)"):
        ImageSet(np.zeros((3, 2, 2)), np.zeros((3, 1)))


def test_images_that_are_not_square_are_an_error() -> None:
    with pytest.raises(ValueError, match="side"):
        ImageSet(np.zeros((3, 4)))


@pytest.mark.parametrize("labels", [np.array([3, -1]), np.array(["b", "aa"]), None])
def test_what_is_saved_is_loaded(labels: np.ndarray | None, tmp_path: Path) -> None:
    image_set = ImageSet(np.arange(8, dtype=np.uint8).reshape(2, 2, 2), labels)
    images.write_sets(tmp_path / "sets", [("name", image_set)])
    loaded = images.open_set(tmp_path / "sets" / "name")
    assert isinstance(loaded.images, np.memmap)
    assert np.array_equal(loaded.images, image_set.images)
    assert loaded.images.dtype == np.uint8
    assert (loaded.labels is None) == (labels is None)
    assert labels is None or np.array_equal(loaded.known_labels, labels)


def test_saving_again_leaves_nothing_of_the_old_sets(tmp_path: Path) -> None:
    image_set = ImageSet(np.zeros((1, 2, 2), dtype=np.uint8))
    images.write_sets(tmp_path / "a" / "sets", [("old", image_set)])
    images.write_sets(tmp_path / "a" / "sets", [("new", image_set)])
    assert [path.name for path in (tmp_path / "a").rglob("*")] == ["sets", "new", "images.npy"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_classes_are_those_of_all_sets() -> None:
    image = np.zeros((2, 1, 1))
    assert list(images.classes_of(ImageSet(image, np.array([7, 3])), ImageSet(image, np.array([3, 5])))) == [3, 5, 7]


def test_normalized_pixels_are_float32_from_0_to_1() -> None:
    pixels = np.array([[[0, 51], [102, 255]]], dtype=np.uint8)
    normalized = normalize(ImageSet(pixels, np.array([1])))
    assert normalized.images.dtype == np.float32
    assert np.allclose(normalized.images, [[[0, 0.2], [0.4, 1]]])
    assert list(normalized.known_labels) == [1]


def test_the_statistics_are_those_of_the_normalized_pixels() -> None:
    pixels = np.random.default_rng(0).integers(3, 200, (5, 4, 4)).astype(np.uint8)
    normalized = normalize(ImageSet(pixels)).images.astype(np.float64)
    assert pixel_statistics(pixels) == pytest.approx(
        {
            "images": 5,
            "minimum": normalized.min(),
            "maximum": normalized.max(),
            "mean": normalized.mean(),
            "standard_deviation": normalized.std(),
        },
        rel=1e-6,
    )
    assert pixel_statistics(pixels[:0]) == {"images": 0}


def test_classes_are_counted_per_set() -> None:
    images_ = np.zeros((5, 2, 2), dtype=np.uint8)
    sets = {
        "train": ImageSet(images_[:3], np.array(["a", "a", "b"])),
        "validation": ImageSet(images_[3:], np.array(["b", "b"])),
    }
    balance = images.class_balance(sets)
    assert balance.to_dict("list") == {"class": ["a", "b"], "train": [2, 1], "validation": [0, 2]}
