"""Tables as CSV files that are equal, byte for byte, for equal runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from src.core.outputs import replacing


def write(path: Path, table: pd.DataFrame) -> None:
    """Write `table` with a header and without its index; floats have six decimals, and None or NaN stays empty."""
    with writing(path) as append:
        append(table)


@contextmanager
def writing(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Yield a function that adds rows to the table, with the columns of the first ones; there must be one call."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        header = True

        def append(rows: pd.DataFrame) -> None:
            nonlocal header
            rows.to_csv(file, header=header, index=False, float_format="%.6f", lineterminator="\n")
            header = False

        yield append
