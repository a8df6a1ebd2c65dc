"""Arrays that may be larger than memory: written to files and read from them part by part."""

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from src.core.outputs import replacing
from src.core.progress import measured

PART = 1024
"""Rows held in memory at a time."""


class Rows:
    """Some rows of an array that may be mapped from a file; only those that are asked for are copied.

    Args:
        array: shape (N, …).
        rows: the indices of the rows, shape (n,).
    """

    def __init__(self, array: "Array", rows: NDArray[np.int64]) -> None:
        self.array, self._rows = array, rows
        self.shape: tuple[int, ...] = (len(rows), *array.shape[1:])
        self.dtype: np.dtype[Any] = array.dtype

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        chosen: NDArray[Any] = self.array[self._rows[index]]
        return chosen


Array: TypeAlias = NDArray[Any] | Rows
"""An array, or some rows of one."""


def parts(
    array: Array, size: int = PART, order: NDArray[np.int64] | None = None, doing: str = ""
) -> Iterator[NDArray[Any]]:
    """Yield copies of `size` consecutive rows of `array`, or of its rows in `order`; of an empty array one empty part.

    Pages of an array that is mapped from a file are released. Where it takes long, the words `doing` are shown, with
    how many rows are done.
    """
    count = len(array) if order is None else len(order)
    with measured(doing, count) as tell:
        for start in range(0, max(count, 1), size):
            chosen = slice(start, start + size) if order is None else order[start : start + size]
            part = np.array(array[chosen])
            release(array)
            yield part
            tell(start + len(part))


def load(array: Array, doing: str = "") -> NDArray[Any]:
    """Return a copy of all rows, in memory; `doing` is that of `parts`."""
    whole = np.empty(array.shape, array.dtype)
    done = 0
    for part in parts(array, doing=doing):
        whole[done : done + len(part)] = part
        done += len(part)
    return whole


def release(array: Array) -> None:
    """Give back the memory of the pages that were read through an array mapped from a file; they are read again."""
    # the system would count them as this process's until something else needs the memory
    while isinstance(array, Rows):
        array = array.array
    if isinstance(array, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
        array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]  # numpy's types lack it


class NpyWriter:
    """A .npy file that is written part by part; its bytes are those of `np.save` for the whole array.

    It is a context: the file is complete at its end. Its shape comes from the parts, of which there must be one.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("wb")
        self._count = 0
        self._first: NDArray[Any] | None = None

    def append(self, part: NDArray[Any]) -> None:
        """Add rows, all of the same shape and type."""
        if self._first is None:
            self._first = part[:0]
            self._write_header()
        self._file.write(np.ascontiguousarray(part).data if part.size else b"")
        self._count += len(part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._file:
            if error is None:
                self._file.seek(0)
                self._write_header()

    def _write_header(self) -> None:
        assert self._first is not None
        # numpy leaves room in it for any number of rows
        description = np.lib.format.header_data_from_array_1_0(self._first)
        description["shape"] = (self._count, *self._first.shape[1:])
        np.lib.format.write_array_header_1_0(self._file, description)


def write(path: Path, parts_of_it: Iterable[NDArray[Any]]) -> None:
    """Write an array to a .npy file part by part, whole or not at all."""
    with replacing(path) as temporary, NpyWriter(temporary) as file:
        for part in parts_of_it:
            file.append(part)
