"""Tables as CSV files that are equal, byte for byte, for equal runs."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from src.core.outputs import naming_full_disk, replacing

if TYPE_CHECKING:  # importing it takes a third of a second, and most stages do without
    import pandas as pd

Table: TypeAlias = "Mapping[str, Any] | pd.DataFrame"
"""Columns, lists or arrays of equal length, by their names."""
FLOAT = "%.6f"


def write(path: Path, table: Table) -> None:
    """Write `table` with a header; floats have six decimals, and None or NaN stays empty."""
    with writing(path) as append:
        append(table)


@contextmanager
def writing(path: Path) -> Iterator[Callable[[Table], None]]:
    """Yield a function that adds rows to the table, with the columns of the first ones; there must be one call."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")

        def append(table: Table) -> None:
            if file.tell() == 0:
                rows.writerow(table)
            columns = [column if isinstance(column, list) else column.tolist() for _, column in table.items()]
            rows.writerows(map(_cell, row) for row in zip(*columns, strict=True))

        yield append


@contextmanager
def growing(path: Path, columns: Sequence[str]) -> Iterator[Callable[..., None]]:
    """Yield a function that writes a row at once, in the format of `write`, so that the file can be watched.

    An exception removes the file. A process that is killed leaves an incomplete file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a process that still writes to it keeps its own file
    try:
        # a line is on disk when it ends
        with naming_full_disk(path, path), path.open("w", buffering=1, encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(columns)
            yield lambda *row: rows.writerow(map(_cell, row))
    except BaseException:  # whatever ended it: an unfinished table must not be taken for a result
        path.unlink(missing_ok=True)
        raise


def _cell(value: object) -> object:
    if isinstance(value, float):
        return FLOAT % value if value == value else ""  # NaN differs from itself
    return value
