"""The data contract: what the three files of a competition must hold. They are read and checked here alone.

Column names, sizes and classes come from the files:

- `sample_submission.csv`: the first column is the id, the second the prediction.
- `train.csv`: the label is the column that `test.csv` lacks. A column named as the id is not a pixel. The rest are
  pixels, one row an image; their number is a square.
- `test.csv`: the same pixels, matched by name; with an id column its rows follow the ids of `sample_submission.csv`,
  without one they are in that file's order.
"""

import csv
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.core import tables
from src.core.errors import UserError
from src.data.images import ImageSet

TRAIN = "train.csv"
TEST = "test.csv"
SAMPLE_SUBMISSION = "sample_submission.csv"
FILES = (TRAIN, TEST, SAMPLE_SUBMISSION)

NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
MAX_LINE = 2**24
INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")


@dataclass(frozen=True)
class Columns:
    """The columns of a competition's files, by their meaning.

    Attributes:
        id: the id column of `sample_submission.csv`, perhaps also of the other files.
        prediction: the column of `sample_submission.csv` to fill.
        label: the column of `train.csv` to learn.
        pixels: the pixel columns in the order of the image, row by row.
    """

    id: str
    prediction: str
    label: str
    pixels: tuple[str, ...]

    @property
    def side(self) -> int:
        """Height and width of an image, in pixels."""
        return isqrt(len(self.pixels))


def read_columns(raw_dir: Path) -> Columns:
    """Return what each column means, from the headers of the three files.

    Raises:
        UserError: the headers break the contract.
    """
    submission = _header(raw_dir / SAMPLE_SUBMISSION)
    if len(submission) != 2:
        raise UserError(f"{SAMPLE_SUBMISSION}: expected two columns, an id and a prediction, found {len(submission)}")
    id_, prediction = submission
    train = [name for name in _header(raw_dir / TRAIN) if name != id_]
    test = [name for name in _header(raw_dir / TEST) if name != id_]

    if unknown := [name for name in test if name not in set(train)]:
        raise UserError(f"{TEST}: column {unknown[0]!r} is not in {TRAIN}")
    extra = [name for name in train if name not in set(test)]
    if len(extra) != 1:
        found = ", ".join(map(repr, extra[:5])) or "none"
        raise UserError(f"{TRAIN}: expected one column that {TEST} lacks, the label; found {len(extra)}: {found}")
    if not test or isqrt(len(test)) ** 2 != len(test):
        raise UserError(f"{TEST}: {len(test)} pixel columns do not make a square image")
    return Columns(id_, prediction, extra[0], _in_image_order([name for name in train if name != extra[0]]))


def read_labelled(raw_dir: Path) -> ImageSet:
    """Return the images and labels of `train.csv`: uint8 in [0, 255], shape (N, side, side), and shape (N,).

    Labels are integers where each of them is written as one, and text otherwise.

    Raises:
        UserError: the file breaks the contract; the text names the row and the column.
    """
    columns = read_columns(raw_dir)
    path = raw_dir / TRAIN
    rows = _read(path, columns.pixels)
    labels = rows[columns.label]
    if (empty := labels.str.strip() == "").any():
        raise UserError(f"{_where(path, int(empty.argmax()), columns.label)}: the label is missing")
    return ImageSet(_as_images(rows, columns), _as_labels(labels))


def read_unlabelled(raw_dir: Path) -> ImageSet:
    """Return the images of `test.csv`, one for each row of `sample_submission.csv` and in its order.

    They are uint8 in [0, 255], shape (N, side, side).

    Raises:
        UserError: a file breaks the contract, or the two do not have the same rows.
    """
    columns = read_columns(raw_dir)
    path = raw_dir / TEST
    ids = read_ids(raw_dir / SAMPLE_SUBMISSION)
    rows = _read(path, columns.pixels)
    if len(rows) != len(ids):
        raise UserError(f"{path.name} has {len(rows)} rows and {SAMPLE_SUBMISSION} {len(ids)}: they must agree")
    if columns.id in rows:
        own = rows[columns.id]
        _check_unique(path, own, columns.id)
        if (unknown := ~own.isin(ids)).any():
            row = int(unknown.argmax())
            raise UserError(f"{_where(path, row, columns.id)}: the id {own[row]!r} is not in {SAMPLE_SUBMISSION}")
        rows = rows.set_index(columns.id).reindex(ids)
    return ImageSet(_as_images(rows, columns))


def read_ids(sample_submission_csv: Path) -> "pd.Series[str]":
    """Return the ids of `sample_submission.csv` as they are written, in its order, shape (N,).

    Raises:
        UserError: an id is missing, or there is a duplicate id.
    """
    name = _header(sample_submission_csv)[0]
    ids = _read(sample_submission_csv, ())[name]
    _check_unique(sample_submission_csv, ids, name)
    return ids


def write_submission(path: Path, sample_submission_csv: Path, labels: NDArray[Any]) -> None:
    """Write predicted `labels`, shape (N,), with the header and the ids of `sample_submission.csv`."""
    id_, prediction = _header(sample_submission_csv)
    ids = read_ids(sample_submission_csv)
    if labels.shape != ids.shape:
        raise ValueError(f"predicted labels have shape {labels.shape} and ids {ids.shape}")
    tables.write(path, pd.DataFrame({id_: ids, prediction: labels}))


def count_images(raw_dir: Path) -> dict[str, int]:
    """Read and check all three files, and return how many images and classes they hold.

    Raises:
        UserError: a file breaks the contract.
    """
    labelled, unlabelled = read_labelled(raw_dir), read_unlabelled(raw_dir)
    return {
        "labelled_images": len(labelled),
        "test_images": len(unlabelled),
        "side": labelled.side,
        "classes": len(np.unique(labelled.known_labels)),
    }


def _header(path: Path) -> list[str]:
    names = next(_csv_rows(path), [])
    if not any(names):
        raise UserError(f"{path.name}: the file is empty; expected a header and rows")
    if repeated := [name for index, name in enumerate(names) if name in names[:index]]:
        raise UserError(f"{path.name}: duplicate column {repeated[0]!r} in the header")
    return names


def _in_image_order(pixels: list[str]) -> tuple[str, ...]:
    """Order names such as `pixel10` by their numbers, so that shuffled columns make the same image.

    Names that do not end in a number of their own are taken in the order of the file.
    """
    parts = [re.fullmatch(r"(.*?)(\d+)", name, re.DOTALL) for name in pixels]
    numbers = {name: int(part[2]) for name, part in zip(pixels, parts, strict=True) if part}
    prefixes = {part[1] for part in parts if part}
    if len(set(numbers.values())) < len(pixels) or len(prefixes) > 1:
        return tuple(pixels)
    return tuple(sorted(pixels, key=lambda name: numbers[name]))


def _read(path: Path, pixels: tuple[str, ...]) -> pd.DataFrame:
    """Read a file with its `pixels` as uint8 and every other column as the text in the file."""
    names = _header(path)
    types: dict[str, Any] = {name: np.uint8 if name in set(pixels) else str for name in names}
    try:
        with warnings.catch_warnings(), np.errstate(invalid="raise"):
            warnings.simplefilter("error", pd.errors.ParserWarning)
            rows = pd.read_csv(
                path, names=names, header=0, dtype=types, index_col=False, keep_default_na=False, encoding="utf-8"
            )
    except (ValueError, ArithmeticError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise _fault(path, names, pixels) or UserError(f"{path.name}: not a valid CSV file ({error})") from None
    last = names[-1]
    # pandas takes a row that ends early as one with empty text
    if last not in pixels and (rows[last] == "").any() and (fault := _fault(path, names, pixels)):
        raise fault
    if rows.empty:
        raise UserError(f"{path.name}: there are no rows below the header")
    return rows


def _fault(path: Path, names: list[str], pixels: tuple[str, ...]) -> UserError | None:
    """Find the first row and column that are wrong, which pandas does not report."""
    expected_pixels = set(pixels)
    for index, cells in enumerate(islice(_csv_rows(path), 1, None)):
        if len(cells) != len(names):
            return UserError(f"{path.name}, row {index + 1}: expected {len(names)} columns, found {len(cells)}")
        for name, cell in zip(names, cells, strict=False):
            if name in expected_pixels and not _is_pixel(cell):
                found = repr(cell) if cell.strip() else "nothing"
                return UserError(
                    f"{_where(path, index, name)}: expected a pixel, a whole number from 0 to 255, found {found}"
                )
    return None


def _is_pixel(cell: str) -> bool:
    """Whether the text is a whole number from 0 to 255, such as `7`, `007` or `7.0`."""
    return bool(NUMBER.fullmatch(cell)) and 0 <= float(cell) <= 255 and float(cell).is_integer()


def _csv_rows(path: Path) -> Iterator[list[str]]:
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
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path.name}: not a valid CSV file ({error})") from None


def _where(path: Path, index: int, column: str) -> str:
    return f"{path.name}, row {index + 1}, column {column!r}"


def _check_unique(path: Path, ids: "pd.Series[str]", column: str) -> None:
    if (empty := ids.str.strip() == "").any():
        raise UserError(f"{_where(path, int(empty.argmax()), column)}: the id is missing")
    if (again := ids.duplicated()).any():
        row = int(again.argmax())
        raise UserError(f"{_where(path, row, column)}: duplicate id {ids[row]!r}")


def _as_images(rows: pd.DataFrame, columns: Columns) -> NDArray[np.uint8]:
    pixels = rows[list(columns.pixels)].to_numpy(dtype=np.uint8)
    return np.ascontiguousarray(pixels).reshape(-1, columns.side, columns.side)


def _as_labels(labels: "pd.Series[str]") -> NDArray[Any]:
    if labels.map(lambda label: bool(INTEGER.fullmatch(label))).all():
        return labels.to_numpy(dtype=np.int64)
    return labels.to_numpy(dtype=np.str_)
