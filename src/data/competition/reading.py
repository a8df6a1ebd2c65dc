"""From the three files to arrays: images, labels, and how many there are."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from src.core import arrays
from src.core.arrays import NpyWriter
from src.core.errors import UserError
from src.data.competition import csv_files, ids, scale
from src.data.competition.columns import Columns, places, read_columns
from src.data.competition.files import SAMPLE_SUBMISSION, TEST, TRAIN
from src.data.competition.ids import Ids
from src.data.competition.labels import Labels

if TYPE_CHECKING:
    import pandas as pd


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
            for part in arrays.parts(unordered, order=order, doing="ordering the test images"):
                images.append(part)
        del unordered  # Windows removes no file that is mapped
        unordered_npy.unlink()


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
    if places(columns.pixels) is None:
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
    labels = Labels(raw_dir / TRAIN, columns.label)
    for rows in csv_files.read(raw_dir / TRAIN, columns.pixels):
        take(_as_images(rows, columns))
        labels.add(rows[columns.label])
    return labels.checked()


def _test(raw_dir: Path, take: Callable[[NDArray[Any]], object]) -> NDArray[np.int64] | None:
    """Give the images of `test.csv` to `take`, part by part.

    Returns:
        For each row of `sample_submission.csv` that of `test.csv`, shape (N,); None where they are the same.
    """
    columns = read_columns(raw_dir)
    path = raw_dir / TEST
    wanted = ids.of_submission(raw_dir / SAMPLE_SUBMISSION)
    found, count = Ids(path, columns.id), 0
    for rows in csv_files.read(path, columns.pixels):
        take(_as_images(rows, columns))
        count += len(rows)
        if columns.id in rows:
            for id_ in rows[columns.id]:
                found.add(id_)
    if count != len(wanted):
        raise UserError(f"{path.name} has {count} rows and {SAMPLE_SUBMISSION} {len(wanted)}: they must agree")
    if not found:
        return None
    own = found.checked()
    if not (known := np.isin(own, wanted)).all():
        row = int(known.argmin())
        where = csv_files.where(path, row, columns.id)
        raise UserError(f"{where}: the id {found.at(row)!r} is not in {SAMPLE_SUBMISSION}")
    ascending = np.argsort(own)
    return ascending[np.searchsorted(own, wanted, sorter=ascending)]


def _as_images(rows: "pd.DataFrame", columns: Columns) -> NDArray[Any]:
    pixels = rows[list(columns.pixels)].to_numpy()
    return np.ascontiguousarray(pixels).reshape(-1, columns.side, columns.side)
