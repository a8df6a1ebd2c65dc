"""CSV files read part by part: pixels as numbers, everything else as the text in the file.

An error names the row, counted from 1, and the column.
"""

import csv
import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from src.core.errors import UserError
from src.core.progress import reading

if TYPE_CHECKING:  # importing it takes a third of a second, and texts are read without
    import pandas as pd
    from pandas.io.parsers import TextFileReader

ROWS = 8192  # in memory at a time
BLOCK = 2**20  # bytes that are searched at a time
MAX_LINE = 2**24
FRACTION_MARKS = (b".", b"e-")
WORDS = (b"true", b"false")  # pandas reads them as the pixels 1 and 0
CONTROL = re.compile(r"[\x00\r\n]")
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
PIXELS: Mapping[str, Callable[[float], bool]] = {
    "a whole number from 0 to 255": lambda value: 0 <= value <= 255 and value.is_integer(),  # also 7.0 or 007
    "a fraction from 0 to 1": lambda value: 0 <= value <= 1,
}
"""The two kinds of pixels; all pixels of a file are of one kind."""


def header(path: Path) -> list[str]:
    """Return the names of the columns.

    Raises:
        UserError: there is no such file, it is empty or no CSV text, or a name occurs twice.
    """
    names = next(lines(path), [])
    if not any(names):
        raise UserError(f"{path.name}: the file is empty; expected a header and rows")
    if len({*names}) < len(names):
        repeated = next(name for index, name in enumerate(names) if name in names[:index])
        if all(map(NUMBER.fullmatch, names[1:])):
            raise UserError(f"{path.name}: the first line holds numbers; expected a header, the names of the columns")
        raise UserError(f"{path.name}: duplicate column {repeated!r} in the header")
    return names


def read(path: Path, pixels: tuple[str, ...]) -> "Iterator[pd.DataFrame]":
    """Yield the rows of a file, part by part, with its `pixels` as numbers and every other column as the text in it.

    Pixels are uint8 where all are whole numbers up to 255, and float32 in [0, 1] where there are fractions. The index
    counts the rows from 0.

    Raises:
        UserError: a cell or a row is wrong, perhaps after the first parts: the text names the first row that is.
    """
    last = header(path)[-1]
    marks = _marks(path)
    pixel_type = _pixel_type(path, pixels) if marks & {*FRACTION_MARKS} else np.uint8
    doubtful, empty = bool(marks & {*WORDS}), True
    with _open(path, pixels, pixel_type) as reader:
        while (rows := _next(path, pixels, reader)) is not None:
            # pandas fills a row that ends early with empty text
            doubtful |= last not in pixels and bool((rows[last] == "").any())
            if pixel_type is np.float32:
                doubtful |= bool(((values := rows[[*pixels]].to_numpy()) != values.clip(0, 1)).any())
            if len(rows):
                empty = False
                yield rows
    if doubtful or empty:
        _check_cells(path, pixels)


@contextmanager
def _open(path: Path, pixels: tuple[str, ...], pixel_type: type) -> "Iterator[TextFileReader]":
    """Yield pandas' reader of a file."""
    import pandas as pd

    names = header(path)
    types: dict[str, Any] = dict.fromkeys(names, str) | dict.fromkeys(pixels, pixel_type)
    with reading(path, f"reading {path.name}") as file:
        with _refused(path, pixels):
            reader = pd.read_csv(
                file, names=names, header=0, dtype=types, index_col=False, keep_default_na=False, encoding="utf-8",
                chunksize=ROWS,
            )  # fmt: skip
        with reader:
            yield reader


def _pixel_type(path: Path, pixels: tuple[str, ...]) -> type:
    """Return float32 if a pixel is a fraction, and uint8 if all are whole numbers, however they are written."""
    with _open(path, pixels, np.float32) as reader:
        while (rows := _next(path, pixels, reader)) is not None:
            if ((values := rows[[*pixels]].to_numpy()) != np.rint(values)).any():
                return np.float32
    return np.uint8


def _next(path: Path, pixels: tuple[str, ...], reader: "TextFileReader") -> "pd.DataFrame | None":
    with _refused(path, pixels):
        return next(reader, None)


@contextmanager
def _refused(path: Path, pixels: tuple[str, ...]) -> Iterator[None]:
    """Say what is wrong with the file where pandas refuses it."""
    from pandas.errors import ParserError, ParserWarning

    try:
        with warnings.catch_warnings(), np.errstate(invalid="raise", over="raise"):
            warnings.simplefilter("error", ParserWarning)
            yield
    except (ValueError, ArithmeticError, ParserError, ParserWarning) as error:
        _check_cells(path, pixels)
        raise UserError(f"{path.name}: not a valid CSV file ({error})") from None


def _marks(path: Path) -> set[bytes]:
    """Return which of `FRACTION_MARKS` and `WORDS` may occur below the header: those found when all digits are cut."""
    found = set[bytes]()
    with reading(path, f"searching {path.name}") as file:
        file.readline()
        end = b""
        while block := file.read(BLOCK):
            rest = end + block.translate(None, b"0123456789,\r\n").lower()
            found |= {mark for mark in (*FRACTION_MARKS, *WORDS) if mark in rest}
            end = rest[-4:]
    return found


def _check_cells(path: Path, pixels: tuple[str, ...]) -> None:
    """Refuse the first row or pixel that is wrong, which pandas does not report."""
    names = header(path)
    expected_pixels, kinds, like = {*pixels}, {*PIXELS}, ""
    for index, cells in enumerate(texts(path)):
        for name, cell in zip(names, cells, strict=True):
            if name in expected_pixels and not kinds <= (possible := _kinds(cell)):
                if not kinds & possible:
                    expected = ", or ".join(kind for kind in PIXELS if kind in kinds) + (like if possible else "")
                    found = repr(cell) if cell.strip() else "nothing"
                    raise UserError(f"{where(path, index, name)}: expected a pixel, {expected}, found {found}")
                kinds, like = kinds & possible, f" as {cell!r} in row {index + 1}"  # so it is with all that follow


def texts(path: Path, shown: bool = True) -> Iterator[list[str]]:
    """Yield the cells of each row as the text in the file; `shown` is whether to show how far it is, if it takes long.

    Raises:
        UserError: a row has more or fewer cells than the header, or there is no row.
    """
    expected, count = len(header(path)), 0
    for count, cells in enumerate(islice(lines(path, shown), 1, None), start=1):
        if len(cells) != expected:
            raise UserError(f"{path.name}, row {count}: expected {expected} columns, found {len(cells)}")
        yield cells
    if count == 0:
        raise UserError(f"{path.name}: there are no rows below the header")


@lru_cache
def _kinds(cell: str) -> frozenset[str]:
    """Return what a text may be as a pixel: some keys of `PIXELS`."""
    value = float(cell) if NUMBER.fullmatch(cell) else math.nan
    return frozenset(kind for kind, fits in PIXELS.items() if fits(value))


def lines(path: Path, shown: bool = False) -> Iterator[list[str]]:
    """Yield the cells of each line that is not blank, the header first, unchecked; `shown` is that of `texts`.

    Raises:
        UserError: there is no such file, or it is no CSV text.
    """
    try:
        with path.open("rb") as file:
            start = file.read(2)
    except FileNotFoundError:
        raise UserError(f"there is no {path.name} in {path.parent}") from None
    if start in (b"\x1f\x8b", b"PK"):
        raise UserError(f"{path.name} is an archive, not CSV text; unpack it and give the file in it this name")
    try:
        with (
            reading(path, f"reading {path.name}" if shown else "") as data,
            io.TextIOWrapper(data, encoding="utf-8-sig", newline="") as file,
        ):
            # a file without line ends might not fit into memory
            yield from filter(None, csv.reader(iter(lambda: file.readline(MAX_LINE), "")))
    except UnicodeDecodeError:
        raise UserError(f"{path.name}: not a valid CSV file: it is not UTF-8 text; save it as UTF-8") from None
    except csv.Error as error:
        raise UserError(f"{path.name}: not a valid CSV file ({error})") from None


def refuse_control(path: Path, row: int, column: str, text: str) -> None:
    """Refuse a text that would not survive being written to CSV and read again.

    Raises:
        UserError: it holds a line end or a NUL character.
    """
    if CONTROL.search(text):
        raise UserError(f"{where(path, row, column)}: {text!r} holds a line end or a NUL character")


def where(path: Path, index: int, column: str) -> str:
    """Return the words for a cell; `index` counts the rows from 0."""
    return f"{path.name}, row {index + 1}, column {column!r}"
