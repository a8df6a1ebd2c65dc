"""Sets of other kinds than MNIST, as their owners write them, through the whole pipeline by the real DVC."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from tests.conftest import Project

WORSE = 0.02
"""By so much the recipe `linear` may be worse than scikit-learn's `LogisticRegression`."""


@dataclass(frozen=True)
class Images:
    """Images, of which every fifth is to be predicted.

    Attributes:
        pixels: shape (N, side²), as they are to be written.
        labels: shape (N,).
        names: the form of the pixels' names; it takes row and column, counted from 0.
        ids: whether the files have ids, which are text, and the sample submission is in another order than `test.csv`.
        settings: what a person has to set, by dotted key.
        said: what `download` says.
    """

    pixels: NDArray[Any]
    labels: NDArray[Any]
    names: str = "pixel_{}_{}"
    ids: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)
    said: str = ""

    def write(self, folder: Path) -> "pd.Series[str]":
        """Write the three files to a new folder, and return the labels to predict by their ids."""
        folder.mkdir()
        side = int(np.sqrt(self.pixels.shape[1]))
        names = [self.names.format(row, column) for row in range(side) for column in range(side)]
        rows = pd.DataFrame(self.pixels, columns=names)
        rows.insert(0, "what", self.labels)
        tested = np.arange(len(rows)) % 5 == 0
        train, test = rows[~tested], rows[tested].drop(columns="what")
        numbers = [f"image {number:03}.png" if self.ids else number for number in range(1, len(test) + 1)]
        answers = pd.Series(self.labels[tested], index=pd.Index(numbers, name="id"), name="what").astype(str)
        if self.ids:
            test.insert(0, "id", numbers)
        sample = answers.sample(frac=1, random_state=0) if self.ids else answers
        for name, table in (("train", train), ("test", test)):
            table.to_csv(folder / f"{name}.csv", index=False)
        sample.to_frame().assign(what="").to_csv(folder / "sample_submission.csv")
        return answers


def fractions_by_label() -> Images:
    pixels, labels = load_digits(return_X_y=True)
    order = np.argsort(labels[:1250], kind="stable")
    return Images(pixels[order] / 16, labels[order], settings={"split.shuffle": True}, said="pixels run from 0 to 1")


def letters() -> Images:
    """Return drawn letters on a noisy background."""
    generator, font = np.random.default_rng(0), ImageFont.load_default(14)
    labels = generator.permutation(np.repeat([*"ABCDEFGHIJ"], 60))
    images = []
    for letter in labels:
        image = Image.new("L", (16, 16))
        place = (int(generator.integers(1, 5)), int(generator.integers(-2, 2)))
        ImageDraw.Draw(image).text(place, letter, fill=255, font=font)
        images.append(np.asarray(image) * generator.uniform(0.6, 1) + generator.normal(0, 20, (16, 16)))
    pixels = np.clip(np.stack(images), 0, 255).round().astype(int).reshape(len(labels), -1)
    return Images(pixels, np.array([f"letter {letter}" for letter in labels]), ids=True)


def binary_of_forty_classes() -> Images:
    """Return 400 images, 320 of them labelled, of 40 classes: a pattern for each, and noise."""
    generator = np.random.default_rng(0)
    labels = generator.permutation(np.repeat(np.arange(40), 10))
    patterns = generator.normal(size=(40, 4, 4)).repeat(3, axis=1).repeat(3, axis=2)[labels]
    pixels = (patterns + generator.normal(size=patterns.shape) > 0).astype(int)
    few = {"recipes.linear.batch_size": 32}  # enough steps of 320 images
    return Images(pixels.reshape(len(labels), -1), labels, "p{}x{}", settings=few, said="pixels run from 0 to 1")


@pytest.mark.slow
@pytest.mark.parametrize("make", [fractions_by_label, binary_of_forty_classes])
def test_a_set_of_another_kind_is_learned_shown_and_submitted(project: Project, make: Callable[[], Images]) -> None:
    images, folder = make(), project.root.parent / "files"
    answers = images.write(folder)
    project.set({"source": "local", "sources.local.path": str(folder), **images.settings})
    assert images.said in project.run("dvc", "repro")
    check_run(project, images, folder, answers)


def check_run(project: Project, images: Images, folder: Path, answers: "pd.Series[str]") -> None:
    """Check the scores of a finished run, its submission, and that there is a report, a card and a page of it."""
    for module in ("src.reporting.report", "src.reporting.model_card", "src.demo.build"):
        project.run("python", "-m", module)

    root = project.root
    rows, folds = pd.read_csv(folder / "train.csv"), np.load(root / "data/split/labelled/folds.npy")
    pixels, labels, validates = rows.drop(columns="what").to_numpy() / images.pixels.max(), rows["what"], folds == 4
    peer = LogisticRegression(max_iter=2000).fit(pixels[~validates], labels[~validates])
    accuracy = project.metrics("evaluate")["accuracy"]
    assert accuracy >= peer.score(pixels[validates], labels[validates]) - WORSE

    submission, sample = (
        pd.read_csv(path, index_col="id", dtype={"what": str})
        for path in (root / "data/predictions/submission.csv", folder / "sample_submission.csv")
    )
    assert submission.index.tolist() == sample.index.tolist()
    assert (submission["what"] == answers[submission.index]).mean() >= accuracy - 0.1
