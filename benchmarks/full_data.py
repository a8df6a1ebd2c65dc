"""The full data, for benchmarks and tests: it is no part of the project."""

import os
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from src.core import arrays
from src.data.competition import reading, scale
from src.data.competition.files import FILES
from src.data.images import ImageSet
from src.preparation.folds import SplitParams, assign
from src.preparation.scaling import normalize

BESIDE = Path(__file__).parent.parent.parent / "shared" / "digit-recognizer.zip"
WHERE = "the full data is missing: set DIGITS_ZIP to the path of Kaggle's digit-recognizer.zip"
FOLD = 4
"""Validates, where a single fold does: the last fifth of the file, as in the notebook."""


@dataclass(frozen=True)
class FullData:
    """The raw files unpacked, and the labelled images, float32 in [0, 1], with the folds of the default split."""

    raw_dir: Path
    labelled: ImageSet

    def sets(self) -> tuple[ImageSet, ImageSet]:
        """Return copies of the images to train on and of those of `FOLD`, for peers that take two sets."""
        train_set, validation_set = (replace(one, images=arrays.load(one.images)) for one in self.labelled.split(FOLD))
        return train_set, validation_set

    def first(self, count: int) -> ImageSet:
        """Return the first `count` images to train on, and one more, which alone is in `FOLD`: it validates in no time.

        This is for what must not time the validation.
        """
        folds = np.zeros(count + 1, dtype=np.uint8)
        folds[count] = FOLD
        return ImageSet(self.labelled.images[: count + 1], self.labelled.known_labels[: count + 1], folds)


def find_zip() -> Path | None:
    """Return the zip that DIGITS_ZIP names, or the one in the folder `shared` beside the project; None if missing."""
    path = Path(os.environ.get("DIGITS_ZIP", BESIDE))
    return path.absolute() if path.is_file() else None


def required_zip() -> Path:
    """Return what `find_zip` finds, or end the program."""
    if (path := find_zip()) is None:
        raise SystemExit(f"error: {WHERE}")
    return path


def unpack(zip_file: Path, folder: Path) -> FullData:
    """Unpack the competition's files into the empty `folder` and read them."""
    with zipfile.ZipFile(zip_file) as packed:
        packed.extractall(folder, FILES)
    labels = reading.write_labelled(folder, folder / "labelled.npy")
    folds = assign(labels, SplitParams(n_splits=5, shuffle=False, seed=0, exclude=[]))
    return FullData(folder, ImageSet(normalize(np.load(folder / "labelled.npy"), scale.WHITE), labels, folds))
