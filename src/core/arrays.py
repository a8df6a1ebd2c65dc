"""Arrays that may be larger than memory: written to files and read from them part by part."""

import mmap
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

PART = 1024
"""Rows held in memory at a time."""


def parts(array: NDArray[Any], size: int = PART, order: NDArray[np.int64] | None = None) -> Iterator[NDArray[Any]]:
    """Yield copies of `size` consecutive rows of `array`, or of its rows in `order`; of an empty array one empty part.

    Of an array that is mapped from a file no page stays in memory.
    """
    count = len(array) if order is None else len(order)
    for start in range(0, max(count, 1), size):
        chosen = slice(start, start + size) if order is None else order[start : start + size]
        part = np.array(array[chosen])
        release(array)
        yield part


def release(array: NDArray[Any]) -> None:
    """Give back the memory of the pages that were read through an array mapped from a file; they are read again."""
    # the system would count them as this process's until something else needs the memory
    if isinstance(array, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
        array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]  # numpy's types lack it


class NpyWriter:
    """A .npy file that is written part by part; its bytes are those of `np.save` for the whole array.

    It is a context: the file is complete at its end. Its shape comes from the parts, of which there must be one.
    """

    def __init__(self, path: Path) -> None:
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


class Scratch:
    """An array on disk whose length is not known before it is written. Its file has no name and leaves nothing behind.

    Args:
        folder: on whose disk the file lies.
    """

    def __init__(self, folder: Path) -> None:
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - `mapped` closes it
        self._count = 0
        self._first: NDArray[Any] | None = None

    def append(self, part: NDArray[Any]) -> None:
        """Add rows, all of the same shape and type."""
        self._first = part[:0] if self._first is None else self._first
        self._file.write(np.ascontiguousarray(part).data)
        self._count += len(part)

    def mapped(self) -> NDArray[Any]:
        """Return all rows, mapped from the file; nothing can be added any more."""
        assert self._first is not None
        with self._file:
            self._file.flush()
            return np.memmap(self._file, self._first.dtype, mode="r", shape=(self._count, *self._first.shape[1:]))
