"""Time things side by side, and weigh their memory.

`python -m benchmarks.timing MODULE ARGUMENTS` runs a module, and prints its peak memory last.
"""

import platform
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
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

    @classmethod
    def of(cls, what: str, peer: Sequence[float], ours: Sequence[float], digits: int) -> "Row":
        """Return a row of two things measured side by side: their medians, and that of the ratios of each round."""
        each = [theirs / own for theirs, own in zip(peer, ours, strict=True)]
        ratio = f"{_ratio(median(each))}x ({_ratio(min(each))}-{_ratio(max(each))})"
        return cls(what, f"{median(peer):.{digits}f}", f"{median(ours):.{digits}f}", ratio)


def _ratio(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"


def in_turn(works: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Do each work once a round, one after the other; return for each its seconds, a figure a round."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, found in zip(works, seconds, strict=True):
            start = time.perf_counter()
            work()
            found.append(time.perf_counter() - start)
    return seconds


def alone(module: str, *arguments: object) -> tuple[float, float]:
    """Run `python -m module arguments`; return the seconds and the peak memory in MiB that it prints last."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, memory = done.stdout.splitlines()[-1].split()
    return float(seconds), float(memory)


def peak_memory() -> float:
    """Return the most memory that this process has held, in MiB, as Linux counts it.

    `getrusage` would count what the parent held when it started this process, too.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def cpu() -> str:
    """Return the processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.argv.pop(0)
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as ended:  # so a stage ends
        if ended.code:
            raise
    print(peak_memory())
