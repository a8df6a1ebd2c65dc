"""The command that labels pictures of digits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from src.core.errors import UserError
from src.data.images import open_set
from src.demo import label
from src.demo.label import read_picture
from src.inference import ensemble
from src.models import checkpoints, recipes
from src.training.loop import train
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
    finished: Project,
    tmp_path: Path,
    digit_images: NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = []
    for number, image in enumerate(digit_images):
        page = np.pad(1 - np.kron(image, np.ones((9, 9))), ((50, 200), (100, 0)), constant_values=1)
        paths.append(save(tmp_path / f"{number}.png", page))
    monkeypatch.chdir(finished.root)
    label.main(paths)
    labels = [line.split()[-2] for line in capsys.readouterr().out.splitlines()]
    rows = (finished.root / "data/predictions/submission.csv").read_text().splitlines()[1:]
    expected = [row.split(",")[1] for row in rows[: len(digit_images)]]
    assert np.mean(np.array(labels) == np.array(expected)) >= 0.9


@pytest.mark.parametrize("bright", [False, True])
def test_a_transparent_background_is_paper(bright: bool, tmp_path: Path) -> None:
    pixels = np.zeros((40, 40, 4), dtype=np.uint8)
    pixels[10:30, 19:21, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "one.png")
    expected = np.zeros((28, 28), dtype=np.bool_)
    expected[4:24, 13:15] = True
    assert np.array_equal((read_picture(tmp_path / "one.png", 28, bright) > 0.5) != bright, expected)


def test_pictures_of_a_set_with_a_bright_background_get_the_labels_of_the_model(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = open_set(finished.root / "data/normalized/labelled")
    bright = replace(found, images=1 - np.array(found.images))
    recipe = recipes.get("linear").model_copy(update={"epochs": 10, "lr": 0.01})
    checkpoint, _ = train(recipe, 4, 0, bright, torch.device("cpu"))
    checkpoints.write(tmp_path / "models/4-0.safetensors", checkpoint)
    images = np.array(bright.images[:60])
    [probabilities] = ensemble.Ensemble([checkpoint], torch.device("cpu")).predict(images)
    expected = probabilities.mean(axis=1).argmax(axis=1)
    assert np.mean(expected == found.known_labels[:60]) > 0.7
    paths = [save(tmp_path / f"{number}.png", image) for number, image in enumerate(images)]
    enlarged = [
        save(tmp_path / f"large-{number}.png", np.pad(np.kron(image, np.ones((5, 5))), 40, constant_values=background))
        for background in (0, 1)
        for number, image in enumerate(images if background else 1 - images)
    ]
    monkeypatch.chdir(tmp_path)
    for pictures, share in ((paths, 1), (enlarged, 0.9)):
        capsys.readouterr()
        label.main(pictures)
        labels = np.array([int(line.split()[1]) for line in capsys.readouterr().out.splitlines()])
        assert np.mean(labels == np.resize(expected, len(pictures))) >= share


def test_what_is_no_picture_of_a_digit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.png: there is no such file"):
        read_picture(tmp_path / "nothing.png", 28)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UserError, match=r"text\.png: not a picture"):
        read_picture(tmp_path / "text.png", 28)
    with pytest.raises(UserError, match=r"white\.png: shows no ink"):
        read_picture(save(tmp_path / "white.png", np.ones((50, 60), dtype=np.float32)), 28)
