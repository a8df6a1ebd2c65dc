"""The command that labels pictures of digits."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from src.core.errors import UserError
from src.demo.label import read_picture
from tests.conftest import Project


def save(path: Path, pixels: NDArray[np.float32]) -> Path:
    Image.fromarray(np.round(255 * pixels).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def digit_images(finished: Project) -> NDArray[np.float32]:
    images: NDArray[np.float32] = np.load(finished.root / "data/normalized/test/images.npy")[:40]
    return images


def test_a_picture_of_the_model_s_size_is_taken_as_it_is(tmp_path: Path, digit_images: NDArray[np.float32]) -> None:
    picture = save(tmp_path / "digit.png", digit_images[0])
    np.testing.assert_allclose(read_picture(picture, 28), digit_images[0], atol=1e-6)


def test_large_pictures_of_dark_ink_get_the_labels_of_their_originals(
    finished: Project, tmp_path: Path, digit_images: NDArray[np.float32]
) -> None:
    paths = []
    for number, image in enumerate(digit_images):
        page = np.pad(1 - np.kron(image, np.ones((9, 9))), ((50, 200), (100, 0)), constant_values=1)
        paths.append(str(save(tmp_path / f"{number}.png", page)))
    labels = [line.split()[-2] for line in finished.run("python", "-m", "src.demo.label", *paths).splitlines()]
    rows = (finished.root / "data/predictions/submission.csv").read_text().splitlines()[1:]
    expected = [row.split(",")[1] for row in rows[: len(digit_images)]]
    assert np.mean(np.array(labels) == np.array(expected)) >= 0.9


def test_a_transparent_ground_is_paper(tmp_path: Path) -> None:
    pixels = np.zeros((28, 28, 4), dtype=np.uint8)
    pixels[8:20, 13:15, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "one.png")
    assert np.array_equal(read_picture(tmp_path / "one.png", 28) > 0.5, pixels[..., 3] > 0)


def test_what_is_no_picture_of_a_digit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.png: there is no such file"):
        read_picture(tmp_path / "nothing.png", 28)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UserError, match=r"text\.png: not a picture"):
        read_picture(tmp_path / "text.png", 28)
    with pytest.raises(UserError, match=r"white\.png: shows no ink"):
        read_picture(save(tmp_path / "white.png", np.ones((50, 60), dtype=np.float32)), 28)
