"""Tables as CSV files that are equal, byte for byte, for equal runs."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from src.core.outputs import naming_full_disk, replacing

if TYPE_CHECKING:  # importing pandas takes a third of a second, and `train` needs only `growing`
    import pandas as pd

FLOAT = "%.6f"


def write(path: Path, table: "pd.DataFrame") -> None:
    """Write `table` with a header and without its index; floats have six decimals, and None or NaN stays empty."""
    with writing(path) as append:
        append(table)


@contextmanager
def writing(path: Path) -> "Iterator[Callable[[pd.DataFrame], None]]":
    """Yield a function that adds rows to the table, with the columns of the first ones; there must be one call."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        header = True

        def append(rows: "pd.DataFrame") -> None:
            nonlocal header
            rows.to_csv(file, header=header, index=False, float_format=FLOAT, lineterminator="\n")
            header = False

        yield append


@contextmanager
def growing(path: Path, columns: Sequence[str]) -> Iterator[Callable[..., None]]:
    """Yield a function that writes a row at once, in the format of `write`, so that the file can be watched.

    Its values are finite numbers or None. An exception removes the file. A process that is killed leaves an incomplete
    file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a process that still writes to it keeps its own file
    try:
        # a line is on disk when it ends
        with naming_full_disk(path, path), path.open("w", buffering=1, encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(columns)
            yield lambda *row: rows.writerow([FLOAT % value if isinstance(value, float) else value for value in row])
    except BaseException:  # whatever ended it: an unfinished table must not be taken for a result
        path.unlink(missing_ok=True)
        raise
