from pathlib import Path

import numpy as np
import pytest

from src.core.arrays import PART
from src.data import images
from src.data.images import ImageSet
from src.preparation.normalizing import write_normalized


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
    images.write_set(tmp_path / "sets" / "name", [image_set.images[:1], image_set.images[1:]], labels)
    loaded = images.open_set(tmp_path / "sets" / "name")
    assert isinstance(loaded.images, np.memmap)
    assert np.array_equal(loaded.images, image_set.images)
    assert loaded.images.dtype == np.uint8
    assert (loaded.labels is None) == (labels is None)
    assert labels is None or np.array_equal(loaded.known_labels, labels)


def test_classes_are_those_of_all_sets() -> None:
    image = np.zeros((2, 1, 1))
    assert list(images.classes_of(ImageSet(image, np.array([7, 3])), ImageSet(image, np.array([3, 5])))) == [3, 5, 7]


def test_normalized_pixels_are_float32_from_0_to_1(tmp_path: Path) -> None:
    pixels = np.array([[[0, 51], [102, 255]]], dtype=np.uint8)
    write_normalized(tmp_path / "set", ImageSet(pixels, np.array([1])))
    normalized = images.open_set(tmp_path / "set")
    assert normalized.images.dtype == np.float32
    assert np.allclose(normalized.images, [[[0, 0.2], [0.4, 1]]])
    assert list(normalized.known_labels) == [1]


@pytest.mark.parametrize("count", [5, 2 * PART + 5])
def test_the_statistics_are_those_of_the_normalized_pixels(count: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(3, 200, (count, 4, 4)).astype(np.uint8)
    statistics = write_normalized(tmp_path / "set", ImageSet(pixels))
    normalized = images.open_set(tmp_path / "set").images.astype(np.float64)
    assert statistics == pytest.approx(
        {
            "images": count,
            "minimum": normalized.min(),
            "maximum": normalized.max(),
            "mean": normalized.mean(),
            "standard_deviation": normalized.std(),
        },
        rel=1e-6,
    )


def test_a_set_without_images_has_no_statistics(tmp_path: Path) -> None:
    nothing = ImageSet(np.zeros((0, 4, 4), dtype=np.uint8), np.array([], dtype=np.int64))
    assert write_normalized(tmp_path / "set", nothing) == {"images": 0}
    assert images.open_set(tmp_path / "set").images.shape == (0, 4, 4)
