"""The data contract: what the three files of a competition must contain. Only this module reads and checks them.

Column names, sizes and classes come from the files:

- `sample_submission.csv`: the first column is the id, the second the prediction.
- `train.csv`: the label is a column that `test.csv` lacks. If there is a `label.txt`, it names the column. Otherwise it
  has the name of the prediction or is called `label`, or it is the only one that is not named like a pixel.
- `test.csv`: all columns except the id are pixels, and `train.csv` has them too. Their number is a square. A row is an
  image. Without an id column, the rows are in the order of `sample_submission.csv`.
- Pixels are whole numbers from 0 to 255, or fractions from 0 to 1. `src.data.scale` finds which value is white.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.core import arrays, tables
from src.core.arrays import NpyWriter
from src.core.errors import UserError
from src.data import csv_files, scale

TRAIN = "train.csv"
TEST = "test.csv"
SAMPLE_SUBMISSION = "sample_submission.csv"
FILES = (TRAIN, TEST, SAMPLE_SUBMISSION)
LABEL = "label.txt"
SETTING = "name it in params.yaml, as `label` of the source"

INTEGER = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
CONTROL = re.compile(r"[\x00\r\n]")
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
    submission = csv_files.header(raw_dir / SAMPLE_SUBMISSION)
    if len(submission) != 2:
        raise UserError(f"{SAMPLE_SUBMISSION}: expected two columns, an id and a prediction, found {len(submission)}")
    id_, prediction = submission
    train, test = ([name for name in csv_files.header(raw_dir / file) if name != id_] for file in (TRAIN, TEST))
    known, in_test = set(train), set(test)
    if unknown := [name for name in test if name not in known]:
        hint = f"; if it is the id, give the first column of {SAMPLE_SUBMISSION} this name" if len(unknown) == 1 else ""
        raise UserError(f"{TEST}: column {unknown[0]!r} is not in {TRAIN}{hint}")
    [(shape, count)] = Counter(map(_shape, test)).most_common(1) or [((), 0)]
    pixel_like = {name for name in train if count > 1 and _shape(name) == shape}
    extra = [name for name in train if name not in in_test]
    label = _find_label(raw_dir / LABEL, prediction, train, extra, pixel_like)
    if missing := [name for name in extra if name in pixel_like and name != label]:
        raise UserError(f"{TEST}: the pixel column {missing[0]!r} of {TRAIN} is missing")
    if not test or not _is_square(len(test)):
        odd = [name for name in test if pixel_like and name not in pixel_like]
        hint = f"; {odd[0]!r} is not named as the others are" if odd else ""
        if len(test) % 3 == 0 and _is_square(len(test) // 3):
            hint = "; three columns for each pixel mean colour, which is not supported: give grey images"
        raise UserError(f"{TEST}: {len(test)} pixel columns do not make a square image{hint}")
    return Columns(id_, prediction, label, _in_image_order([name for name in train if name in in_test]))


def _find_label(path: Path, prediction: str, train: Sequence[str], extra: Sequence[str], pixel_like: set[str]) -> str:
    """Return the label column: by its name, or else the only one of `extra` that is not named like a pixel."""
    given = [path.read_text(encoding="utf-8")] if path.exists() else []
    named = [name for want in given or [prediction, "label"] for name in train if name.casefold() == want.casefold()]
    if given and not named:
        raise UserError(f"{TRAIN}: there is no column {given[0]!r}, the label; {SETTING}")
    if named and named[0] not in extra:
        raise UserError(f"{TEST}: it has the label column {named[0]!r}; remove it")
    if not extra:
        raise UserError(f"{TEST}: it has the same columns as {TRAIN}, which must have one more, the label")
    candidates = named[:1] or [name for name in extra if name not in pixel_like]
    if len(candidates) != 1:
        found = ", ".join(map(repr, (candidates or extra)[:5]))
        raise UserError(f"{TRAIN}: the label is ambiguous; {TEST} lacks {found}; {SETTING}")
    return candidates[0]


def _is_square(count: int) -> bool:
    return isqrt(count) ** 2 == count


def write_labelled(raw_dir: Path, images_npy: Path) -> NDArray[Any]:
    """Write the images of `train.csv`, shape (N, side, side), and return their labels, shape (N,).

    Images are uint8 in [0, 255], or float32 in [0, 1] where a pixel is a fraction.
    Labels are integers where each of them is written as one, and text otherwise.

    Raises:
        UserError: the file breaks the contract; the text names the row and the column.
    """
    with NpyWriter(images_npy) as images:
        return _labelled(raw_dir, images.append)


def write_test(raw_dir: Path, images_npy: Path) -> None:
    """Write the images of `test.csv` as `write_labelled` does, in the order of `sample_submission.csv`.

    Raises:
        UserError: a file breaks the contract, or the two do not have the same rows.
    """
    with NpyWriter(images_npy) as images:
        order = _test(raw_dir, images.append)
    if order is not None:
        unordered_npy = images_npy.rename(images_npy.with_name("unordered.npy"))
        unordered = np.load(unordered_npy, mmap_mode="r")
        with NpyWriter(images_npy) as images:
            for part in arrays.parts(unordered, order=order):
                images.append(part)
        del unordered  # Windows removes no file that is mapped
        unordered_npy.unlink()


@contextmanager
def writing_submission(path: Path, sample_submission_csv: Path) -> Iterator[Callable[[NDArray[Any]], None]]:
    """Yield a function that takes the predicted labels, shape (n,), of the next n rows of `sample_submission.csv`.

    They are written with its header and its ids.

    Raises:
        UserError: an id is missing, or there is a duplicate id.
        ValueError: there are fewer or more labels than ids.
    """
    id_, prediction = csv_files.header(sample_submission_csv)
    count = len(_unique_ids(sample_submission_csv))
    with tables.writing(path) as append, csv_files.open_file(sample_submission_csv, ()) as rows:
        done = 0

        def take(labels: NDArray[Any]) -> None:
            nonlocal done
            done += len(labels)
            if labels.ndim != 1 or done > count:
                raise ValueError(
                    f"predicted labels have shape {labels.shape}, and {count} ids come to {done} with them"
                )
            append(pd.DataFrame({id_: rows.get_chunk(len(labels))[id_].array, prediction: labels}))

        yield take
        if done < count:
            raise ValueError(f"there are {done} predicted labels and {count} ids")


def count_images(raw_dir: Path) -> tuple[int, int]:
    """Read and check all three files, and return how many labelled and how many test images they hold.

    Raises:
        UserError: a file breaks the contract.
    """
    columns = read_columns(raw_dir)
    (labelled, brightest), (test, brightest_test) = (_measured(read, raw_dir) for read in (_labelled, _test))
    if (white := scale.find(brightest, brightest_test)) != scale.WHITE:
        print(f"pixels run from 0 to {white:g}", flush=True)
    if unused := {*csv_files.header(raw_dir / TRAIN)} - {columns.id, columns.label, *columns.pixels}:
        print(f"{TRAIN}: not used, because {TEST} lacks it: {', '.join(sorted(unused))}", flush=True)
    if _places(columns.pixels) is None:
        print("the names of the pixel columns give no order; the order of the columns in train.csv is used", flush=True)
    return labelled, test


def _measured(read: Callable[[Path, Callable[[NDArray[Any]], object]], object], raw_dir: Path) -> tuple[int, float]:
    """Return how many images are read, and their largest pixel."""
    parts: list[tuple[int, float]] = []
    read(raw_dir, lambda images: parts.append((len(images), float(images.max()))))
    counts, maxima = zip(*parts, strict=True)
    return sum(counts), max(maxima)


def _labelled(raw_dir: Path, take: Callable[[NDArray[Any]], object]) -> NDArray[Any]:
    """Give the images of `train.csv` to `take`, part by part, and return their labels, shape (N,)."""
    columns = read_columns(raw_dir)
    path = raw_dir / TRAIN
    codes: dict[str, int] = {}  # of each label, in the order in which they come
    first_rows: dict[str, int] = {}
    labelled: list[NDArray[np.int32]] = []
    for rows in csv_files.read(path, columns.pixels):
        take(_as_images(rows, columns))
        here, found = rows[columns.label].factorize()
        for label, start in zip(found, np.unique(here, return_index=True)[1], strict=True):
            codes.setdefault(label, len(codes))
            first_rows.setdefault(label, int(rows.index[start]))
        labelled.append(np.array([codes[label] for label in found], dtype=np.int32)[here])
    code_of_each = np.concatenate(labelled)
    _check_labels(path, first_rows, len(code_of_each), columns.label)
    whole_numbers = all(INTEGER.fullmatch(label) for label in codes)
    labels: NDArray[Any] = np.array([*codes], dtype=np.int64 if whole_numbers else np.str_)[code_of_each]
    return labels


def _check_labels(path: Path, first_rows: Mapping[str, int], count: int, column: str) -> None:
    """Refuse labels that are empty, change in a CSV file, are written in two ways, or do not form classes.

    They are given with the first row of each; `count` is the number of all rows.
    """
    for label, row in first_rows.items():
        if not label.strip():
            raise UserError(f"{csv_files.where(path, row, column)}: the label is missing")
    _check_written(path, first_rows, column)
    forms: dict[str | Decimal, str] = {}
    for label, row in first_rows.items():
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


def _test(raw_dir: Path, take: Callable[[NDArray[Any]], object]) -> NDArray[np.int64] | None:
    """Give the images of `test.csv` to `take`, part by part.

    Returns:
        For each row of `sample_submission.csv` that of `test.csv`, shape (N,); None where they are the same.
    """
    columns = read_columns(raw_dir)
    path = raw_dir / TEST
    ids = _unique_ids(raw_dir / SAMPLE_SUBMISSION)
    found: list[NDArray[np.uint64]] = []
    missing: int | None = None
    count = 0
    for rows in csv_files.read(path, columns.pixels):
        take(_as_images(rows, columns))
        count += len(rows)
        if columns.id in rows:
            found.append(_hashes(rows[columns.id]))
            missing = _first(missing, rows[columns.id].str.strip() == "")
    if count != len(ids):
        raise UserError(f"{path.name} has {count} rows and {SAMPLE_SUBMISSION} {len(ids)}: they must agree")
    if not found:
        return None
    own = np.concatenate(found)
    _check_ids(path, own, missing, columns.id, columns.pixels)
    if not (known := np.isin(own, ids)).all():
        row = int(known.argmin())
        id_ = next(rows[columns.id][row] for rows in csv_files.read(path, columns.pixels) if row in rows.index)
        raise UserError(f"{csv_files.where(path, row, columns.id)}: the id {id_!r} is not in {SAMPLE_SUBMISSION}")
    ascending = np.argsort(own)
    return ascending[np.searchsorted(own, ids, sorter=ascending)]


def _unique_ids(sample_submission_csv: Path) -> NDArray[np.uint64]:
    """Return the hashes of the ids of `sample_submission.csv`, in its order, shape (N,)."""
    path = sample_submission_csv
    name, prediction = csv_files.header(path)
    found: list[NDArray[np.uint64]] = []
    odd: dict[str, int] = {}
    missing: int | None = None
    for rows in csv_files.read(path, ()):
        found.append(_hashes(rows[name]))
        missing = _first(missing, rows[name].str.strip() == "")
        odd |= {id_: row for row, id_ in _with_rows(rows[name][rows[name].str.contains(CONTROL)])}
    _check_written(path, odd, name)
    ids = np.concatenate(found)
    if repeated := _first_repeated(path, ids, name, ()):
        values = np.concatenate([_hashes(rows[prediction]) for rows in csv_files.read(path, ())])
        if not _first_repeated(path, values, prediction, ()):
            row, id_ = repeated
            raise UserError(
                f"{csv_files.where(path, row, name)}: duplicate id {id_!r}, and no value of the second column is "
                "repeated; the first column must be the id, the second the prediction"
            )
    _check_ids(path, ids, missing, name, ())
    return ids


def _check_ids(
    path: Path, hashes: NDArray[np.uint64], missing: int | None, column: str, pixels: tuple[str, ...]
) -> None:
    """Refuse ids if one is missing, in row `missing`, or one occurs twice."""
    if missing is not None:
        raise UserError(f"{csv_files.where(path, missing, column)}: the id is missing")
    if repeated := _first_repeated(path, hashes, column, pixels):
        row, id_ = repeated
        raise UserError(f"{csv_files.where(path, row, column)}: duplicate id {id_!r}")


def _first_repeated(
    path: Path, hashes: NDArray[np.uint64], column: str, pixels: tuple[str, ...]
) -> tuple[int, str] | None:
    """Return the first row whose text repeats an earlier one of the column, and the text; `hashes` are the column's."""
    ascending = np.sort(hashes)
    twice = ascending[1:][ascending[1:] == ascending[:-1]]
    if len(twice) == 0:
        return None
    seen = set[str]()  # equal hashes are not yet equal texts
    for rows in csv_files.read(path, pixels):
        for row, text in _with_rows(rows[column][np.isin(_hashes(rows[column]), twice)]):
            if text in seen:
                return row, text
            seen.add(text)
    return None


def _hashes(texts: "pd.Series[str]") -> NDArray[np.uint64]:
    """Return a hash of 64 bits for each text: millions of texts take too much memory."""
    hashes: NDArray[np.uint64] = pd.util.hash_array(texts.to_numpy(object), categorize=False)
    return hashes


def _with_rows(texts: "pd.Series[str]") -> Iterator[tuple[int, str]]:
    return zip(texts.index.to_numpy().tolist(), texts, strict=True)


def _first(earlier: int | None, here: "pd.Series[bool]") -> int | None:
    """Return the row found earlier, or else the first one that is true."""
    return int(here.index[here][0]) if earlier is None and here.any() else earlier


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
    names, below = [*islice(csv_files.lines(path), 2), [], []][:2]
    if any(CONTROL.search(name) for name in names):
        raise UserError(
            f"{path.name}: the header holds a line end or a NUL character: a quote is open, or it is not UTF-8 text"
        )
    if names and names[0].startswith("#"):
        raise UserError(f"{path.name}: the first line is a comment; the header must be the first line")
    if names[:1] in ([""], ["Unnamed: 0"]):
        raise UserError(
            f"{path.name}: the first column has no name and looks like an index; remove it (with pandas, "
            "to_csv(..., index=False))"
        )
    for separator, called in ((";", "a semicolon"), ("\t", "a tab"), ("|", "a vertical bar")):
        if len(names) == 1 and separator in names[0]:
            raise UserError(f"{path.name}: the columns are separated by {called}; separate them by a comma")
    if len(below) > 2 * len(names):
        raise UserError(
            f"{path.name}: the first line, {','.join(names)[:40]!r}, is not the header of the {len(below)} columns "
            "below it; the header must be the first line"
        )
    if len(names) > 1 and all(name.startswith(" ") for name in names[1:]):
        raise UserError(f"{path.name}: there is a space after each comma of the header; remove the spaces")


def _check_written(path: Path, rows: Mapping[str, int], column: str) -> None:
    """Refuse labels or ids, given with their rows, that would not survive being written to CSV and read again."""
    for text, row in rows.items():
        if CONTROL.search(text):
            raise UserError(f"{csv_files.where(path, row, column)}: {text!r} holds a line end or a NUL character")


def _meaning(label: str) -> str | Decimal:
    """Return what labels have in common that differ by white space alone, or as `5`, `05` and `5.0` do."""
    label = label.strip()
    return Decimal(label) if PLAIN_NUMBER.fullmatch(label) else label


def _as_images(rows: pd.DataFrame, columns: Columns) -> NDArray[Any]:
    pixels = rows[list(columns.pixels)].to_numpy()
    return np.ascontiguousarray(pixels).reshape(-1, columns.side, columns.side)
