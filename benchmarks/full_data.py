"""The full data, for benchmarks and tests: it is no part of the project."""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from src.data import competition
from src.data.images import ImageSet
from src.preparation.normalizing import normalize
from src.preparation.splitting import SplitParams, split

BESIDE = Path(__file__).parent.parent.parent / "shared" / "digit-recognizer.zip"
WHERE = "the full data is missing: set DIGITS_ZIP to the path of Kaggle's digit-recognizer.zip"


def find_zip() -> Path | None:
    """Return the zip that DIGITS_ZIP names, or the one in the folder `shared` beside the project; None if missing."""
    path = Path(os.environ.get("DIGITS_ZIP", BESIDE))
    return path.absolute() if path.is_file() else None


@dataclass(frozen=True)
class FullData:
    """The raw files unpacked, and the notebook's split of the labelled images, normalized."""

    raw_dir: Path
    train_set: ImageSet
    validation_set: ImageSet


def unpack(zip_file: Path, folder: Path) -> FullData:
    """Unpack the competition's files into the empty `folder` and read them."""
    with zipfile.ZipFile(zip_file) as packed:
        packed.extractall(folder, competition.FILES)
    return read(folder)


def read(folder: Path) -> FullData:
    """Read the competition's files in `folder`."""
    labelled = competition.read_labelled(folder, scratch_dir=folder)
    normalized = ImageSet(normalize(labelled.images), labelled.labels)
    sets = split(len(labelled), SplitParams(train_fraction=0.8, shuffle=False, seed=0))
    return FullData(folder, normalized[sets["train"]], normalized[sets["validation"]])
