from pathlib import Path

import numpy as np
import pytest

from src.core import arrays
from src.data import images
from src.data.images import ImageSet
from src.preparation import scaling


@pytest.mark.parametrize("name", ["labels", "folds"])
def test_labels_or_folds_as_a_column_are_an_error(name: str) -> None:
    """The notebook's bug: (N, 1) against (N,) broadcasts to (N, N) and gives a wrong accuracy in silence."""
    with pytest.raises(ValueError, match=rf"{name} have shape \(3, 1\)"):
        ImageSet(np.zeros((3, 2, 2)), **{name: np.zeros((3, 1))})


def test_images_that_are_not_square_are_an_error() -> None:
    with pytest.raises(ValueError, match="side"):
        ImageSet(np.zeros((3, 4)))


@pytest.mark.parametrize("labels", [np.array([3, -1]), np.array(["b", "aa"]), None])
def test_what_is_saved_is_loaded(labels: np.ndarray | None, tmp_path: Path) -> None:
    pixels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    folds = None if labels is None else np.array([7, 0], dtype=np.uint8)
    images.write_set(tmp_path / "sets" / "name", [pixels[:1], pixels[1:]], labels, folds)
    loaded = images.open_set(tmp_path / "sets" / "name")
    assert isinstance(loaded.images, np.memmap)
    for found, expected in ((loaded.images, pixels), (loaded.labels, labels), (loaded.folds, folds)):
        assert (found is None) == (expected is None)
        assert expected is None or (np.array_equal(found, expected) and found.dtype == expected.dtype)


@pytest.mark.parametrize(
    ("folds", "fold", "validates"),
    [
        ([0, 0, 1, 1, 1, 2], 0, [0, 1]),
        ([0, 0, 1, 1, 1, 2], 1, [2, 3, 4]),
        ([0, 0, 1, 1, 1, 2], 2, [5]),
        ([2, 0, 1, 0, 2, 1], 0, [1, 3]),
        ([2, 0, 1, 0, 2, 1], 2, [0, 4]),
    ],
)
def test_a_fold_validates_with_its_own_rows_and_all_others_train(
    folds: list[int], fold: int, validates: list[int]
) -> None:
    pixels = np.arange(24).reshape(6, 2, 2)
    whole = ImageSet(pixels, np.array([*"abcdef"]), np.array(folds, dtype=np.uint8))
    trains = [row for row in range(6) if row not in validates]
    for part, rows in zip(whole.split(fold), (trains, validates), strict=True):
        assert isinstance(part.images, arrays.Rows) and part.images.array is pixels, "the images are not copied"
        assert np.array_equal(arrays.load(part.images), pixels[rows])
        assert part.known_labels.tolist() == [[*"abcdef"][row] for row in rows]
        assert part.known_folds.tolist() == [folds[row] for row in rows]


@pytest.mark.parametrize(
    ("pixels", "white"),
    [
        (np.array([[[0, 51], [102, 255]]], dtype=np.uint8), 255),
        (np.array([[[0, 3], [6, 15]]], dtype=np.uint8), 15),
        (np.array([[[0, 0.2], [0.4, 1]]], dtype=np.float32), 1),
    ],
)
def test_normalized_pixels_are_float32_from_0_to_1(tmp_path: Path, pixels: np.ndarray, white: float) -> None:
    whole = ImageSet(pixels, np.array([1]), np.array([9], dtype=np.uint8))
    assert scaling.brightest(whole) == pixels.max()
    scaling.write_normalized(tmp_path / "set", whole, white)
    normalized = images.open_set(tmp_path / "set")
    assert normalized.images.dtype == np.float32
    assert np.allclose(normalized.images, [[[0, 0.2], [0.4, 1]]])
    assert (normalized.known_labels.tolist(), normalized.known_folds.tolist()) == ([1], [9])
