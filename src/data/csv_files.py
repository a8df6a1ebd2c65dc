"""CSV files read part by part: pixels as numbers, everything else as the text in the file.

What is wrong with a file is told with its row, counted from 1, and its column.
"""

import csv
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from src.core.errors import UserError

if TYPE_CHECKING:
    from pandas.io.parsers import TextFileReader

ROWS = 8192  # in memory at a time
BLOCK = 2**20  # bytes that are searched at a time
MAX_LINE = 2**24
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)


def header(path: Path) -> list[str]:
    """Return the names of the columns.

    Raises:
        UserError: there is no such file, it is empty or no CSV text, or a name occurs twice.
    """
    names = next(lines(path), [])
    if not any(names):
        raise UserError(f"{path.name}: the file is empty; expected a header and rows")
    if repeated := [name for index, name in enumerate(names) if name in names[:index]]:
        raise UserError(f"{path.name}: duplicate column {repeated[0]!r} in the header")
    return names


def read(path: Path, pixels: tuple[str, ...]) -> Iterator[pd.DataFrame]:
    """Yield the rows of a file, part by part, with its `pixels` as uint8 and every other column as the text in it.

    The index counts the rows from 0.

    Raises:
        UserError: a cell or a row is wrong, perhaps after the first parts: the text names the first row that is.
    """
    last = header(path)[-1]
    empty_cells, parts = False, 0
    with open_file(path, pixels) as reader:
        while (rows := _next(path, pixels, reader)) is not None:
            # pandas fills a row that ends early with empty text
            empty_cells |= last not in pixels and bool((rows[last] == "").any())
            parts += len(rows) > 0
            if len(rows):
                yield rows
    if (empty_cells or (pixels and _has_words(path))) and (fault := _fault(path, pixels)):
        raise fault
    if parts == 0:
        raise UserError(f"{path.name}: there are no rows below the header")


def open_file(path: Path, pixels: tuple[str, ...]) -> "TextFileReader":
    """Return pandas' reader of a file that `read` has found to be right, or that is still to be checked."""
    names = header(path)
    types: dict[str, Any] = {name: np.uint8 if name in set(pixels) else str for name in names}
    with _refused(path, pixels):
        return pd.read_csv(
            path, names=names, header=0, dtype=types, index_col=False, keep_default_na=False, encoding="utf-8",
            chunksize=ROWS,
        )  # fmt: skip


def _next(path: Path, pixels: tuple[str, ...], reader: "TextFileReader") -> pd.DataFrame | None:
    with _refused(path, pixels):
        return next(reader, None)


@contextmanager
def _refused(path: Path, pixels: tuple[str, ...]) -> Iterator[None]:
    """Say what is wrong with the file where pandas refuses it."""
    try:
        with warnings.catch_warnings(), np.errstate(invalid="raise"):
            warnings.simplefilter("error", pd.errors.ParserWarning)
            yield
    except (ValueError, ArithmeticError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise _fault(path, pixels) or UserError(f"{path.name}: not a valid CSV file ({error})") from None


def _has_words(path: Path) -> bool:
    """Whether `True` or `False` occurs below the header: pandas reads them as the pixels 1 and 0."""
    with path.open("rb") as file:
        file.readline()
        end = b""
        while block := file.read(BLOCK):
            text = (end + block).lower()
            if b"true" in text or b"false" in text:
                return True
            end = block[-4:]
    return False


def _fault(path: Path, pixels: tuple[str, ...]) -> UserError | None:
    """Find the first row and column that are wrong, which pandas does not report."""
    names = header(path)
    expected_pixels = set(pixels)
    for index, cells in enumerate(islice(lines(path), 1, None)):
        if len(cells) != len(names):
            return UserError(f"{path.name}, row {index + 1}: expected {len(names)} columns, found {len(cells)}")
        for name, cell in zip(names, cells, strict=False):
            if name in expected_pixels and not _is_pixel(cell):
                found = repr(cell) if cell.strip() else "nothing"
                return UserError(
                    f"{where(path, index, name)}: expected a pixel, a whole number from 0 to 255, found {found}"
                )
    return None


def _is_pixel(cell: str) -> bool:
    """Whether the text is a whole number from 0 to 255, such as `7`, `007` or `7.0`."""
    return bool(NUMBER.fullmatch(cell)) and 0 <= float(cell) <= 255 and float(cell).is_integer()


def lines(path: Path) -> Iterator[list[str]]:
    """Yield the cells of each line that is not blank, the header first, unchecked.

    Raises:
        UserError: there is no such file, or it is no CSV text.
    """
    try:
        with path.open("rb") as file:
            start = file.read(2)
    except FileNotFoundError:
        raise UserError(f"there is no {path.name} in {path.parent}") from None
    if start in (b"\x1f\x8b", b"PK"):
        raise UserError(f"{path.name} is an archive, not CSV text; unpack it and give the file inside that name")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # a file without line ends might not fit into memory
            yield from filter(None, csv.reader(iter(lambda: file.readline(MAX_LINE), "")))
    except UnicodeDecodeError:
        raise UserError(f"{path.name}: not a valid CSV file: it is not UTF-8 text; save it as UTF-8") from None
    except csv.Error as error:
        raise UserError(f"{path.name}: not a valid CSV file ({error})") from None


def where(path: Path, index: int, column: str) -> str:
    """Return the words for a cell; `index` counts the rows from 0."""
    return f"{path.name}, row {index + 1}, column {column!r}"
