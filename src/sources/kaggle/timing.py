"""How long to wait for Kaggle: deadlines, and the pauses between attempts.

Two variables set them. They change no data, so they are no parameters.
"""

import os
import re
import time
from collections.abc import Iterator

from src.core.errors import UserError

DEADLINE = "KAGGLE_DEADLINE_MINUTES"
"""The variable for the most minutes that one step may take; 15 unless set."""
LISTING = "KAGGLE_LISTING_MINUTES"
"""The variable for the minutes to look for a submission in Kaggle's list before it is in doubt; 1 unless set."""
FIRST = 1.0
"""Seconds of the first pause between two attempts."""
NUMBER = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)


def deadline() -> float:
    """Return the most that one step may take, in seconds.

    Raises:
        UserError: the variable does not hold minutes.
    """
    return _seconds(DEADLINE, "15")


def listing() -> float:
    """Return the seconds in which Kaggle's list shows a submission, if it was taken.

    Raises:
        UserError: a variable does not hold minutes.
    """
    return min(_seconds(LISTING, "1"), deadline())


def end() -> float:
    """Return when a step that begins now must end, in the seconds of `time.monotonic`."""
    return time.monotonic() + deadline()


def pauses(longest: float = 60.0) -> Iterator[float]:
    """Yield the seconds to wait after each attempt: they double from `FIRST` to `longest`."""
    pause = FIRST
    while True:
        yield pause
        pause = min(2 * pause, longest)


def _seconds(variable: str, minutes: str) -> float:
    text = os.environ.get(variable) or minutes
    if NUMBER.fullmatch(text) and 0 < float(text) <= 1440:
        return 60 * float(text)
    raise UserError(f"variable {variable}: expected minutes, more than 0 and at most 1440 (found: {text!r})")
