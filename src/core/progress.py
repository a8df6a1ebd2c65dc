"""Show the progress of a long computation: a bar on a terminal, about ten plain lines elsewhere."""

import math
import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

LONG = 20  # seconds: lines show the time left only of work that takes longer; a bar always shows it


class Progress:
    """A progress bar or its lines, as a context.

    Args:
        label: what is being done.
        total: the number of steps.
        unit: what a step is.
    """

    def __init__(self, label: str, total: int, unit: str) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._done, self._begun = 0, time.monotonic()
        self._bar = tqdm(desc=label, total=total, unit=unit, leave=False) if sys.stderr.isatty() else None

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
        left = elapsed / self._done * (self._total - self._done)
        if left == 0 or elapsed + left < LONG:
            return ""
        return f", about {left:.0f} s left" if left < 100 else f", about {left / 60:.0f} min left"
