"""Sweeps: experiments that differ in one numeric parameter only."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from src.reporting import comparison
from src.reporting.experiments.listed import Experiment, Experiments

MOST = 3  # parameters
LINES = 5  # of one parameter


@dataclass(frozen=True)
class Sweep:
    """The experiments of one or several sweeps of a parameter, with the last commit if it differs in nothing else.

    Attributes:
        parameter: its dotted name.
        lines: of each sweep the experiments, by rising value; two of them or more have different values.
    """

    parameter: str
    lines: Sequence[Sequence[Experiment]]


def find(found: Experiments) -> list[Sweep]:
    """Return the sweeps of up to three parameters, those of most experiments first, each with at most five lines."""
    params = {id(one): comparison.flat(one.params) for one in (found.commit, *found.finished)}
    sweeps = []
    for parameter in {key: None for flat in params.values() for key, value in flat.items() if is_numeric(value)}:
        by_rest: dict[str, list[Experiment]] = {}
        for one in (found.commit, *found.finished):
            flat = params[id(one)]
            if one.evaluation and is_numeric(flat.get(parameter)):
                rest = repr(sorted((key, value) for key, value in flat.items() if key != parameter))
                by_rest.setdefault(rest, []).append(one)
        lines = [sorted(line, key=lambda one: value_of(one, parameter)) for line in by_rest.values()]
        lines = [line for line in lines if _varies([one for one in line if one is not found.commit], parameter)]
        if lines:
            sweeps.append(Sweep(parameter, sorted(lines, key=len, reverse=True)[:LINES]))
    return sorted(sweeps, key=lambda sweep: -sum(map(len, sweep.lines)))[:MOST]


def is_numeric(value: object) -> bool:
    """Return whether a parameter has a number as its value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def value_of(one: Experiment, parameter: str) -> float:
    """Return the value of a numeric parameter."""
    value = comparison.flat(one.params)[parameter]
    assert isinstance(value, int | float)
    return value


def is_geometric(values: Sequence[float]) -> bool:
    """Return whether values are to be drawn on a logarithmic axis.

    They are if all are positive, and either three or more grow by a constant factor, to within 1 %, or they span a
    factor of ten or more without growing by a constant step, such as 1, 3 and 10.
    """
    ordered = sorted({*values})
    if len(ordered) < 2 or ordered[0] <= 0:
        return False
    factors = [after / before for before, after in pairwise(ordered)]
    steps = [after - before for before, after in pairwise(ordered)]
    if len(ordered) > 2 and max(factors) <= 1.01 * min(factors):
        return True
    even = len(ordered) > 2 and max(steps) <= 1.01 * min(steps)
    return ordered[-1] >= 10 * ordered[0] and not even


def _varies(line: Sequence[Experiment], parameter: str) -> bool:
    return len({value_of(one, parameter) for one in line}) > 1
