"""The columns of the three files: which is the id, the prediction, the label, and which are pixels in what order."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from math import isqrt
from pathlib import Path

from src.core.errors import UserError
from src.data.competition import csv_files
from src.data.competition.files import FILES, LABEL, SAMPLE_SUBMISSION, TEST, TRAIN

SETTING = "name it in params.yaml, as `label` of the source"
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


def _check_header(path: Path) -> None:
    """Refuse a first line that is no header, or has another separator than a comma, or a space after each comma."""
    names, below = [*islice(csv_files.lines(path), 2), [], []][:2]
    if any(csv_files.CONTROL.search(name) for name in names):
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


def _in_image_order(pixels: list[str]) -> tuple[str, ...]:
    """Order names such as `pixel10`, `10.0`, or `2x7` with row and column, so that shuffled columns make one image.

    Names that give no position are taken in the order of the file.
    """
    found = places(pixels)
    return tuple(pixels if found is None else sorted(pixels, key=found.__getitem__))


def places(pixels: Sequence[str]) -> dict[str, tuple[int, int]] | None:
    """Return the row and column in each name, or its one number and 0.

    None if the names do not all have the same form, or two of them have the same place.
    """
    found = {name: match for name in pixels if (match := NUMBERED.fullmatch(name.strip()))}
    of_each = {name: (int(match[2]), int(match[4] or 0)) for name, match in found.items()}
    if len(of_each) < len(pixels) or len({_shape(name) for name in pixels}) > 1:
        return None
    return of_each if len(set(of_each.values())) == len(pixels) else None


def _shape(name: str) -> tuple[str | None, ...]:
    """Return what is around the numbers of a name."""
    match = NUMBERED.fullmatch(name.strip())
    return (match[1], match[3], match[5]) if match else (name,)
