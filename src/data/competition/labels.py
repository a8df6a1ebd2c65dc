"""The labels of `train.csv`: gathered part by part, and checked."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from src.core.errors import UserError
from src.data.competition import csv_files
from src.data.competition.columns import SETTING

if TYPE_CHECKING:
    import pandas as pd

INTEGER = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)


class Labels:
    """The labels in a column of a file; they are integers where each of them is written as one, and text otherwise."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._first_rows: dict[str, int] = {}  # of each label
        self._parts: list[NDArray[np.int32]] = []

    def add(self, texts: "pd.Series[str]") -> None:
        """Take the labels of the next rows, whose numbers are the index."""
        here, found = texts.factorize()
        for label, start in zip(found, np.unique(here, return_index=True)[1], strict=True):
            self._first_rows.setdefault(label, int(texts.index[start]))
        codes = {label: code for code, label in enumerate(self._first_rows)}
        self._parts.append(np.array([codes[label] for label in found], dtype=np.int32)[here])

    def checked(self) -> NDArray[Any]:
        """Return all of them, shape (N,).

        Raises:
            UserError: one is missing or cannot be written to CSV, two differ only in how they are written, or they do
                not form classes.
        """
        codes = np.concatenate(self._parts)
        _check(self._path, self._column, self._first_rows, len(codes))
        whole_numbers = all(map(INTEGER.fullmatch, self._first_rows))
        labels: NDArray[Any] = np.array([*self._first_rows], dtype=np.int64 if whole_numbers else np.str_)[codes]
        return labels


def _check(path: Path, column: str, first_rows: Mapping[str, int], count: int) -> None:
    """Refuse labels, given with the first row of each, of a file of `count` rows."""
    forms: dict[str | Decimal, str] = {}
    for label, row in first_rows.items():
        if not label.strip():
            raise UserError(f"{csv_files.where(path, row, column)}: the label is missing")
        csv_files.refuse_control(path, row, column, label)
        if (other := forms.setdefault(_meaning(label), label)) != label:
            raise UserError(
                f"{csv_files.where(path, row, column)}: the label {label!r} is {other!r} written in another way; write "
                "both in one way"
            )
    if not 1 < len(first_rows) < count:
        raise UserError(
            f"{path.name}: the label, {column!r}, has {len(first_rows)} distinct values in {count} rows; expected two "
            f"or more, and fewer than rows; if another column is the label, {SETTING}"
        )


def _meaning(label: str) -> str | Decimal:
    """Return what labels have in common that differ by white space alone, or as `5`, `05` and `5.0` do."""
    label = label.strip()
    return Decimal(label) if PLAIN_NUMBER.fullmatch(label) else label
