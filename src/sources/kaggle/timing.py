"""How long to wait for Kaggle: deadlines, and the pauses between attempts."""

import os
import re
import time
from collections.abc import Iterator

from src.core.errors import UserError

VARIABLE = "KAGGLE_DEADLINE_MINUTES"
"""The variable for the most that one step may take, in minutes: it changes no data, so it is no parameter."""
DEFAULT_MINUTES = 15.0
LISTED_WITHIN = 60.0
"""Seconds to look for a submission in Kaggle's list before it is in doubt whether it was taken."""
MINUTES = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)


def deadline() -> float:
    """Return the most that one step may take, in seconds.

    Raises:
        UserError: the variable does not hold minutes.
    """
    text = os.environ.get(VARIABLE) or str(DEFAULT_MINUTES)
    if MINUTES.fullmatch(text) and 0 < float(text) <= 1440:
        return 60 * float(text)
    raise UserError(f"variable {VARIABLE}: expected minutes, more than 0 and at most 1440 (found: {text!r})")


def end() -> float:
    """Return when a step that begins now must end, in the seconds of `time.monotonic`."""
    return time.monotonic() + deadline()


def settling() -> float:
    """Return the seconds in which Kaggle's list shows a submission, if it was taken."""
    return min(LISTED_WITHIN, deadline())


def pauses(longest: float = 60.0) -> Iterator[float]:
    """Yield the seconds to wait after each attempt: they double from 1 to `longest`."""
    pause = 1.0
    while True:
        yield pause
        pause = min(2 * pause, longest)
