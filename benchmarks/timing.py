"""Time things side by side, and weigh their memory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """A line of the table: what was measured, both sides in words, and what comes out of it."""

    what: str
    peer: str
    ours: str
    ratio: str

    def __str__(self) -> str:
        return f"| {self.what} | {self.peer} | {self.ours} | {self.ratio} |"


def in_turn(works: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Do each work once a round, one after the other; return for each its seconds, a figure a round."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, found in zip(works, seconds, strict=True):
            start = time.perf_counter()
            work()
            found.append(time.perf_counter() - start)
    return seconds


def ratio(peer: Sequence[float], ours: Sequence[float]) -> str:
    """Return the median, over rounds, of how many times as long the peer took, with its least and greatest."""
    each = [theirs / own for theirs, own in zip(peer, ours, strict=True)]
    return f"{median(each):.1f}x ({min(each):.1f}-{max(each):.1f})"


def alone(module: str, *arguments: object) -> tuple[float, float]:
    """Run `python -m module arguments`; return the seconds that it prints, and its peak memory in MiB."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, process.returncode, used = os.wait4(process.pid, 0)
    if process.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with status {process.returncode}")
    return float(printed), used.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
