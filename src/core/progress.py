"""Show how far long work is: a bar on a terminal, a few plain lines elsewhere."""

import io
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

if TYPE_CHECKING:  # most work is quick, or is done without a terminal, and needs no bar
    from tqdm import tqdm

LONG = 20  # seconds: the lines of steps show the time left only of work that takes longer; a bar always shows it
FIRST = 5.0
"""Seconds after which `measured` begins to show anything."""
LONGEST = 60.0
"""The most seconds between two of its lines."""


class Progress:
    """The steps of a computation, such as epochs: a bar or about ten lines, as a context.

    Args:
        label: what is being done.
        total: the number of steps.
        unit: what a step is.
    """

    def __init__(self, label: str, total: int, unit: str) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._done, self._begun = 0, time.monotonic()
        self._bar = _bar(label, total, unit) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def step(self, state: str = "") -> None:
        """Count a step as done; `state` describes the result so far and stays on the bar until it is replaced."""
        self._done += 1
        if self._bar is not None:
            if state:
                self._bar.set_postfix_str(state, refresh=False)
            self._bar.update()
        elif state and (self._done == self._total or self._done % math.ceil(self._total / 10) == 0):
            print(f"{self._label}: {self._unit} {self._done} of {self._total}{self._time_left()}, {state}", flush=True)

    def _time_left(self) -> str:
        elapsed = time.monotonic() - self._begun
        left = _left(elapsed, self._done, self._total)
        return f", about {_duration(left)} left" if left and elapsed + left >= LONG else ""


@contextmanager
def measured(label: str, total: int | None = None, unit: str = "") -> Iterator[Callable[..., None]]:
    """Yield `tell(done, total)`, to be called often with how much of some work is done, and how much there is.

    Nothing is shown before `FIRST` seconds. Then there is a bar, or a line each time that the work has taken twice as
    long as at the last one, and at least each `LONGEST` seconds.

    Args:
        label: what is being done, with the plural of what is counted; nothing is shown without it.
        total: how much there is, unless `tell` says it; None if unknown.
        unit: `B` for bytes; empty for a number, which is not shown where the total is unknown.
    """
    begun = time.monotonic()
    due = begun + FIRST if label else math.inf
    bar: tqdm[Any] | None = None

    def tell(done: int, total: int | None = total) -> None:
        nonlocal due, bar
        if (now := time.monotonic()) < due:
            return
        elapsed = now - begun
        if not sys.stderr.isatty():
            print(_line(label, done, total, unit, elapsed), flush=True)
            due = now + min(elapsed, LONGEST)
            return
        if bar is None:
            bar = _bar(label, total, unit, "" if total or unit else "{desc}, {elapsed}")
            bar.start_t -= elapsed
        bar.total = total
        bar.update(done - bar.n)

    try:
        yield tell
    finally:
        if bar is not None:
            bar.close()


@contextmanager
def reading(path: Path, label: str) -> Iterator[BinaryIO]:
    """Yield a file to read as bytes, and show as `measured` does how much of it has been read."""
    with (
        measured(label, path.stat().st_size, "B") as tell,
        io.BufferedReader(_Told(path, tell), buffer_size=2**18) as file,
    ):
        yield file


class _Told(io.FileIO):
    """A file to read that tells how many bytes have been read."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        super().__init__(path)
        self._tell, self._done = tell, 0

    def readinto(self, buffer: Any) -> int | None:
        count = super().readinto(buffer)
        self._done += count or 0
        self._tell(self._done)
        return count


def _bar(label: str, total: int | None, unit: str, form: str = "") -> "tqdm[Any]":
    from tqdm import tqdm

    return tqdm(
        desc=label, total=total, unit=unit or "it", unit_scale=unit in ("", "B"), leave=False, bar_format=form or None
    )


def _line(label: str, done: int, total: int | None, unit: str, elapsed: float) -> str:
    """Return a line such as `reading train.csv: 20.0 of 76.8 MB, about 15 s left`."""
    scale, digits, suffix = (1e6, 1, " MB") if unit == "B" else (1, 0, "")
    if total is None:
        so_far = f": {done / scale:,.{digits}f}{suffix}" if unit else ""
        return f"{label}{so_far}, {_duration(elapsed)}"
    left = _left(elapsed, done, total)
    return f"{label}: {done / scale:,.{digits}f} of {total / scale:,.{digits}f}{suffix}" + (
        f", about {_duration(left)} left" if left >= 1 else ""
    )


def _left(elapsed: float, done: int, total: int) -> float:
    """Return how many seconds the rest may take; 0 if nothing is known."""
    return elapsed / done * (total - done) if done else 0.0


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
