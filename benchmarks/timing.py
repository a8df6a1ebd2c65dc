"""Time things side by side, and weigh their memory."""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
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


def alone(work: Callable[..., object], *arguments: object) -> tuple[float, float]:
    """Do a work in a process of its own; return its seconds, without the start, and its peak memory in MiB."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_weighed, work, arguments).result()


def _weighed(work: Callable[..., object], arguments: tuple[object, ...]) -> tuple[float, float]:
    start = time.perf_counter()
    work(*arguments)
    seconds = time.perf_counter() - start
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
