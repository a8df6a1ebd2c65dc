"""The ids of the images to predict. They are held as hashes of 64 bits: millions of texts take too much memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from src.core.errors import UserError
from src.data.competition import csv_files

if TYPE_CHECKING:
    import pandas as pd


class Ids:
    """The ids in a column of a file whose pixel columns are `pixels`."""

    def __init__(self, path: Path, column: str, pixels: tuple[str, ...] = ()) -> None:
        self._path, self._column, self._pixels = path, column, pixels
        self._parts: list[NDArray[np.uint64]] = []
        self._missing: int | None = None  # the first row without one

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, texts: "pd.Series[str]") -> None:
        """Take the ids of the next rows, whose numbers are the index."""
        self._parts.append(_hashes(texts))
        missing = texts.str.strip() == ""
        if self._missing is None and missing.any():
            self._missing = int(texts.index[missing][0])

    def checked(self) -> NDArray[np.uint64]:
        """Return their hashes, shape (N,).

        Raises:
            UserError: one is missing, or occurs twice.
        """
        if self._missing is not None:
            raise UserError(f"{csv_files.where(self._path, self._missing, self._column)}: the id is missing")
        if repeated := self.first_repeated():
            row, id_ = repeated
            raise UserError(f"{csv_files.where(self._path, row, self._column)}: duplicate id {id_!r}")
        return np.concatenate(self._parts)

    def first_repeated(self) -> tuple[int, str] | None:
        """Return the first row whose text repeats an earlier one, and the text."""
        ascending = np.sort(np.concatenate(self._parts))
        twice = ascending[1:][ascending[1:] == ascending[:-1]]
        if len(twice) == 0:
            return None
        seen = set[str]()  # equal hashes are not yet equal texts
        for texts in self._read():
            for row, text in _with_rows(texts[np.isin(_hashes(texts), twice)]):
                if text in seen:
                    return row, text
                seen.add(text)
        return None

    def at(self, row: int) -> str:
        """Return the id in a row, counted from 0."""
        return next(texts[row] for texts in self._read() if row in texts.index)

    def _read(self) -> Iterator["pd.Series[str]"]:
        return (rows[self._column] for rows in csv_files.read(self._path, self._pixels))


def of_submission(sample_submission_csv: Path) -> NDArray[np.uint64]:
    """Return the hashes of the ids of `sample_submission.csv`, in its order, shape (N,).

    Raises:
        UserError: one is missing or cannot be written to CSV, or occurs twice.
    """
    path = sample_submission_csv
    name, prediction = csv_files.header(path)
    ids, odd = Ids(path, name), dict[str, int]()
    for rows in csv_files.read(path, ()):
        ids.add(rows[name])
        odd |= {id_: row for row, id_ in _with_rows(rows[name][rows[name].str.contains(csv_files.CONTROL)])}
    csv_files.refuse_control(path, name, odd)
    if repeated := ids.first_repeated():
        predictions = Ids(path, prediction)
        for rows in csv_files.read(path, ()):
            predictions.add(rows[prediction])
        if not predictions.first_repeated():
            row, id_ = repeated
            raise UserError(
                f"{csv_files.where(path, row, name)}: duplicate id {id_!r}, and no value of the second column is "
                "repeated; the first column must be the id, the second the prediction"
            )
    return ids.checked()


def _hashes(texts: "pd.Series[str]") -> NDArray[np.uint64]:
    from pandas.util import hash_array

    hashes: NDArray[np.uint64] = hash_array(texts.to_numpy(object), categorize=False)
    return hashes


def _with_rows(texts: "pd.Series[str]") -> Iterator[tuple[int, str]]:
    return zip(texts.index.to_numpy().tolist(), texts, strict=True)
