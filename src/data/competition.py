"""The data contract: what the three files of a competition must contain. Only this module reads and checks them.

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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
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
INTEGER = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
CONTROL = re.compile(r"[\x00\r\n]")
MAX_CLASSES = 10
"""More classes than this must have ten images each on average; a column of numbers taken for the label has fewer."""
NUMBERED = re.compile(r"(\D*)(\d{1,9})(?:(\D+)(\d{1,9}))?(\D*)", re.ASCII)


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
    for name in FILES:
        _check_header(raw_dir / name)
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
    label = extra[0]
    if (number := NUMBERED.fullmatch(label)) and sum(_shape(name) == _shape(number[0]) for name in test) > 1:
        raise UserError(
            f"{TRAIN}: the column that {TEST} lacks, {label!r}, is named as the pixels are, such as {test[0]!r}; "
            f"give {TEST} the same pixels, and no label"
        )
    if taken := [name for name in test if name.casefold() == prediction.casefold()]:
        raise UserError(
            f"{TEST}: it has the column {taken[0]!r}, named as the prediction of {SAMPLE_SUBMISSION}, and lacks "
            f"{label!r}; give it all pixels, and no label"
        )
    return Columns(id_, prediction, label, _in_image_order([name for name in train if name != label]))


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
    _check_written(path, labels, columns.label)
    forms: dict[str | Decimal, str] = {}
    for row, label in labels.drop_duplicates().items():
        if (other := forms.setdefault(_meaning(label), label)) != label:
            raise UserError(
                f"{_where(path, int(str(row)), columns.label)}: the label {label!r} is {other!r} written in another "
                "way; write both in one way"
            )
    if (classes := labels.nunique()) > max(MAX_CLASSES, len(labels) // 10):
        raise UserError(
            f"{TRAIN}: {columns.label!r}, the column that {TEST} lacks, cannot be the label: it has {classes} "
            f"different values in {len(labels)} rows; without the label, {TRAIN} and {TEST} must have the same columns"
        )
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
    _check_written(sample_submission_csv, ids, name)
    if ids.duplicated().any() and not _read(sample_submission_csv, ()).iloc[:, 1].duplicated().any():
        row = int(ids.duplicated().argmax())
        raise UserError(
            f"{_where(sample_submission_csv, row, name)}: duplicate id {ids[row]!r}, and no value of the second column "
            "is repeated; the first column must be the id, the second the prediction"
        )
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
    numbered = pixels_are_numbered(read_columns(raw_dir).pixels)
    if not numbered:
        print("the names of the pixel columns give no order; the order of the columns in train.csv is used", flush=True)
    return {
        "pixels_in_order_of_the_file": int(not numbered),
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


def pixels_are_numbered(pixels: Sequence[str]) -> bool:
    """Whether the names of the pixel columns give their positions in the image."""
    return _places(pixels) is not None


def _in_image_order(pixels: list[str]) -> tuple[str, ...]:
    """Order names such as `pixel10`, `10.0`, or `2x7` with row and column, so that shuffled columns make one image.

    Names that give no position are taken in the order of the file.
    """
    places = _places(pixels)
    return tuple(pixels if places is None else sorted(pixels, key=places.__getitem__))


def _places(pixels: Sequence[str]) -> dict[str, tuple[int, int]] | None:
    """Return the row and column in each name, or its one number and 0.

    None if the names do not all have the same form, or two of them have the same place.
    """
    found = {name: match for name in pixels if (match := NUMBERED.fullmatch(name.strip()))}
    places = {name: (int(match[2]), int(match[4] or 0)) for name, match in found.items()}
    if len(places) < len(pixels) or len({_shape(name) for name in pixels}) > 1:
        return None
    return places if len(set(places.values())) == len(pixels) else None


def _shape(name: str) -> tuple[str | None, ...]:
    """Return what is around the numbers of a name."""
    match = NUMBERED.fullmatch(name.strip())
    return (match[1], match[3], match[5]) if match else (name,)


def _check_header(path: Path) -> None:
    """Refuse a first line that is no header, or has another separator than a comma, or a space after each comma."""
    names, below = [*islice(_csv_rows(path), 2), [], []][:2]
    if any(CONTROL.search(name) for name in names):
        raise UserError(
            f"{path.name}: the header holds a line end or a NUL character: a quote is open, or it is no UTF-8 text"
        )
    if names and names[0].startswith("#"):
        raise UserError(f"{path.name}: the first line is a comment; the header must be the first line")
    for separator, called in ((";", "a semicolon"), ("\t", "a tab"), ("|", "a vertical bar")):
        if len(names) == 1 and separator in names[0]:
            raise UserError(f"{path.name}: the columns are separated by {called}; separate them by a comma")
    if len(below) > 2 * len(names):
        raise UserError(
            f"{path.name}: the first line, {','.join(names)[:40]!r}, is not the header of the {len(below)} columns "
            "below it; the header must be the first line"
        )
    if len(names) > 1 and all(name.startswith(" ") for name in names[1:]):
        raise UserError(f"{path.name}: there is a space after each comma of the header; take the spaces out")


def _check_written(path: Path, values: "pd.Series[str]", column: str) -> None:
    """Refuse labels or ids that would not survive being written to a CSV file and read again."""
    if (odd := values.str.contains(CONTROL)).any():
        row = int(odd.argmax())
        raise UserError(f"{_where(path, row, column)}: {values[row]!r} holds a line end or a NUL character")


def _meaning(label: str) -> str | Decimal:
    """Return what labels have in common that differ by white space alone, or as `5`, `05` and `5.0` do."""
    label = label.strip()
    return Decimal(label) if PLAIN_NUMBER.fullmatch(label) else label


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
    if fault := _text_pixel(path, pixels, names):
        raise fault
    last = names[-1]
    # pandas fills a row that ends early with empty text
    if last not in pixels and (rows[last] == "").any() and (fault := _fault(path, names, pixels)):
        raise fault
    if rows.empty:
        raise UserError(f"{path.name}: there are no rows below the header")
    return rows


def _text_pixel(path: Path, pixels: tuple[str, ...], names: list[str]) -> UserError | None:
    """Find `True` and `False` in place of pixels, which pandas reads as 1 and 0."""
    if not pixels:
        return None
    with path.open("rb") as file:
        lines = any(re.search(rb"true|false", line, re.IGNORECASE) for line in islice(file, 1, None))
    return _fault(path, names, pixels) if lines else None


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
    except UnicodeDecodeError:
        raise UserError(f"{path.name}: not a valid CSV file: it is not UTF-8 text; save it as UTF-8") from None
    except csv.Error as error:
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
