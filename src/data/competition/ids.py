"""The ids of the images to predict. They are held as hashes of 64 bits: millions of texts take too much memory."""

from array import array
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.core.errors import UserError
from src.data.competition import csv_files


class Ids:
    """The ids in a column of a file."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._hashes = array("q")
        self._missing: int | None = None  # the first row without one

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, text: str) -> None:
        """Take the id of the next row."""
        if self._missing is None and not text.strip():
            self._missing = len(self)
        self._hashes.append(hash(text))

    def checked(self) -> NDArray[np.int64]:
        """Return their hashes, shape (N,), which are those of this process.

        Raises:
            UserError: one is missing, or occurs twice.
        """
        if self._missing is not None:
            raise UserError(f"{csv_files.where(self._path, self._missing, self._column)}: the id is missing")
        if repeated := self.first_repeated():
            row, id_ = repeated
            raise UserError(f"{csv_files.where(self._path, row, self._column)}: duplicate id {id_!r}")
        return np.array(self._hashes)

    def first_repeated(self) -> tuple[int, str] | None:
        """Return the first row whose text repeats an earlier one, and the text."""
        ascending = np.sort(self._hashes)
        twice = {*ascending[1:][ascending[1:] == ascending[:-1]].tolist()}
        if not twice:
            return None
        seen = set[str]()  # equal hashes are not yet equal texts
        for row, text in enumerate(self._read()):
            if text in seen:
                return row, text
            if hash(text) in twice:
                seen.add(text)
        return None

    def at(self, row: int) -> str:
        """Return the id in a row, counted from 0."""
        return next(islice(self._read(), row, None))

    def _read(self) -> Iterator[str]:
        place = csv_files.header(self._path).index(self._column)
        return (cells[place] for cells in csv_files.texts(self._path))


def of_submission(sample_submission_csv: Path) -> NDArray[np.int64]:
    """Return the hashes of the ids of `sample_submission.csv`, in its order, shape (N,).

    Raises:
        UserError: one is missing or cannot be written to CSV, or occurs twice.
    """
    path = sample_submission_csv
    name, prediction = csv_files.header(path)
    ids = Ids(path, name)
    for row, (id_, _) in enumerate(csv_files.texts(path)):
        csv_files.refuse_control(path, row, name, id_)
        ids.add(id_)
    if repeated := ids.first_repeated():
        predictions = Ids(path, prediction)
        for _, value in csv_files.texts(path):
            predictions.add(value)
        if not predictions.first_repeated():
            row, id_ = repeated
            raise UserError(
                f"{csv_files.where(path, row, name)}: duplicate id {id_!r}, and no value of the second column is "
                "repeated; the first column must be the id, the second the prediction"
            )
    return ids.checked()
