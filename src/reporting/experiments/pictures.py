"""Pictures of the experiments since the last commit: all of them, learning curves of the best, and sweeps."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from matplotlib.transforms import ScaledTranslation

from src.reporting.experiments import sweeps
from src.reporting.experiments.listed import DRAWN, Experiment, Experiments, value_text, written
from src.reporting.experiments.sweeps import Sweep
from src.reporting.experiments.verdicts import NOT_COMPARED, Verdict
from src.reporting.pictures import style
from src.reporting.pictures.style import Picture

BEST = 5  # learning curves, and the last commit
NAME = 3.0  # inches for the name of an experiment, at most
ROW = 0.2  # inches from experiment to experiment
SMALL = style.FONT - 1  # points
AXIS = 5.5  # inches, about, of the axis of values, and
GAP = 0.06  # between the labels of two of its ticks

COMMIT: dict[str, Any] = {"color": "#333333", "linestyle": "--"}
BETTER, WORSE, NEITHER = "#0072b2", "#d55e00", "#666666"
OPEN = {"markerfacecolor": "white"}
MARKS: dict[tuple[str, bool], tuple[str, dict[str, Any]]] = {
    ("better", True): ("better, also with Holm's correction", {"marker": "^", "color": BETTER}),
    ("better", False): ("better, but not with Holm's correction", {"marker": "^", "color": BETTER, **OPEN}),
    ("undecided", False): ("undecided", {"marker": "o", "color": NEITHER, **OPEN}),
    ("worse", False): ("worse, but not with Holm's correction", {"marker": "v", "color": WORSE, **OPEN}),
    ("worse", True): ("worse, also with Holm's correction", {"marker": "v", "color": WORSE}),
    (NOT_COMPARED, False): (NOT_COMPARED, {"marker": "x", "color": NEITHER}),
}
"""By judgement and whether it holds with the correction; they differ in shape and filling, not only in colour."""
LINES: list[dict[str, Any]] = [
    {"color": "#0072b2", "linestyle": "-", "marker": "o"},
    {"color": "#d55e00", "linestyle": "--", "marker": "s"},
    {"color": "#009e73", "linestyle": "-.", "marker": "^"},
    {"color": "#cc79a7", "linestyle": (0, (5, 1, 1, 1, 1, 1)), "marker": "D"},
    {"color": "#56b4e9", "linestyle": ":", "marker": "v"},
]


def draw(found: Experiments, verdicts: Sequence[Verdict]) -> dict[str, Picture]:
    """Return the pictures by name; there is none before an experiment has finished."""
    if not found.finished:
        return {}
    of_sweeps = {f"sweep-{number}": sweep(found, one) for number, one in enumerate(sweeps.find(found))}
    return {"forest": forest(found, verdicts), "curves": curves(found), **of_sweeps}


def forest(found: Experiments, verdicts: Sequence[Verdict]) -> Picture:
    """Draw a row for each of the best experiments: its accuracy, 95 % interval and verdict; the commit is a line."""
    shown, commit = found.finished[:DRAWN], found.commit
    best = f"best {DRAWN} of " if len(found.finished) > DRAWN else ""
    title = f"Accuracy out of fold of the {best}{len(found.finished)} experiments"
    figure = style.chart(title, 1.5 + ROW * len(shown))
    axes = figure.subplots()
    left = _left_end(shown, commit)
    for row, (one, verdict) in enumerate(zip(shown, verdicts, strict=False)):
        _draw_row(axes, row, one, MARKS[verdict.judgement, verdict.holds][1], left)
    axes.set_xlim(left, axes.get_xlim()[1])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    names = [_shortened(one.label(commit), NAME) for one in shown]
    axes.set_yticks(range(len(shown)), names, fontsize=SMALL)
    axes.tick_params(axis="y", length=0, pad=8)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("accuracy with its 95 % interval")
    used = {(verdict.judgement, verdict.holds) for verdict in verdicts[: len(shown)]}
    handles = [Line2D([], [], linestyle="", label=name, **mark) for key, (name, mark) in MARKS.items() if key in used]
    if commit.evaluation:
        label = f"last commit, {_accuracy(commit)}"
        handles.insert(0, axes.axvline(commit.evaluation["accuracy"], zorder=1, label=label, **COMMIT))
    figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=SMALL)
    return Picture(_forest_text(found, verdicts), figure)


def curves(found: Experiments) -> Picture:
    """Draw the validation accuracy by epoch of the best experiments and of the commit."""
    best = [*found.finished[:BEST], found.commit]
    drawn = {one.name: curve for one in best if (curve := one.curve()) is not None}
    missing = [one.name for one in best if one.evaluation and one.name not in drawn]
    lacking = f" DVC's cache lacks those of {', '.join(missing)}." if missing else ""
    if not drawn:
        return Picture(f"There are no learning curves to draw.{lacking}")
    figure = style.chart("Validation accuracy by epoch of the best experiments", 4)
    axes = figure.subplots()
    for one, look in zip(best, [*LINES[: len(best) - 1], COMMIT | {"marker": "."}], strict=True):
        if one.name in drawn:
            curve = drawn[one.name]
            label = "last commit" if one is found.commit else _shortened(one.label(found.commit), NAME)
            axes.plot(curve, label=label, markersize=5, markevery=max(1, len(curve) // 10), **look)
    lengths, lasts = zip(*((curve.index[-1], curve.iloc[-1]) for curve in drawn.values()), strict=True)
    # the first epochs, from chance on, would press the differences of the last into a strip
    axes.set_ylim(bottom=max(axes.get_ylim()[0], 2 * min(lasts) - max(lasts) - 0.02))
    axes.set(xlabel="epoch", ylabel="validation accuracy")
    axes.locator_params("x", integer=True, min_n_ticks=1)
    if max(lengths) >= 10 * min(lengths):
        _set_ticks(axes, [1, *lengths], geometric=True)
    figure.legend(loc="outside lower left", ncols=2, fontsize=SMALL)
    ends = ", ".join(f"{name} {curve.iloc[-1]:.4f} ({curve.index[-1]})" for name, curve in drawn.items())
    return Picture(f"Validation accuracy after the last epoch, and its number: {ends}.{lacking}", figure)


def sweep(found: Experiments, of_parameter: Sweep) -> Picture:
    """Draw the accuracy against the values of a parameter, with 95 % intervals."""
    parameter, commit = of_parameter.parameter, found.commit
    figure = style.chart(f"Accuracy out of fold, with its 95 % interval, against {parameter}", 3)
    axes = figure.subplots()
    texts = []
    for number, (line, look) in enumerate(zip(of_parameter.lines, LINES, strict=False)):
        # side by side, in points: the lines have the same values
        aside = 4 * (number - (len(of_parameter.lines) - 1) / 2)
        place = axes.transData + ScaledTranslation(aside / 72, 0, figure.dpi_scale_trans)
        values = [sweeps.value_of(one, parameter) for one in line]
        others = _shortened(_others(next(one for one in line if one is not commit), commit, parameter), NAME)
        axes.errorbar(
            values, _accuracies(line), _spread(line), label=others, capsize=3, markersize=5, transform=place, **look
        )
        if commit in line:
            at = sweeps.value_of(commit, parameter), commit.evaluation["accuracy"]
            ring = {"color": COMMIT["color"], "markersize": 12, "markerfacecolor": "none", "label": "last commit"}
            axes.plot(*at, "o", transform=place, **ring)
        texts.append(f"{others}: " + ", ".join(
            f"{value_text(value)} gives {_accuracy(one)}" for value, one in zip(values, line, strict=True)
        ))  # fmt: skip
        ends = [[one.evaluation[end] for one in line] for end in ("ci_low", "ci_high")]
        axes.update_datalim([*zip(values * 2, ends[0] + ends[1], strict=True)])
    axes.autoscale_view()
    axes.set(xlabel=parameter, ylabel="accuracy")
    every = [sweeps.value_of(one, parameter) for line in of_parameter.lines for one in line]
    _set_ticks(axes, every, sweeps.is_geometric(every))
    figure.legend(loc="outside lower left", ncols=2, fontsize=SMALL)
    return Picture(f"Accuracy against {parameter}, {'; '.join(texts)}.", figure)


def _draw_row(axes: Axes, row: int, one: Experiment, mark: dict[str, Any], left: float) -> None:
    [accuracy], colour = _accuracies([one]), mark["color"]
    axes.plot([one.evaluation["ci_low"], one.evaluation["ci_high"]], [row, row], color=colour, linewidth=1.2)
    if accuracy > left:
        axes.plot(accuracy, row, linestyle="", **mark)
    else:
        axes.plot(left, row, clip_on=False, linestyle="", **mark | {"marker": "<"})
    axes.text(1.01, row, f"{accuracy:.4f}", transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL)


def _left_end(shown: Sequence[Experiment], commit: Experiment) -> float:
    """Return where the axis begins: left of every interval, but for those of a few that are far below the others."""
    accuracies = _accuracies(shown)
    spread = max(accuracies[0] - median(accuracies), accuracies[0] - shown[0].evaluation["ci_low"])
    scores = [one.evaluation for one in (*shown, commit) if one.evaluation]
    near = [one["ci_low"] for one in scores if one["accuracy"] > accuracies[0] - 4 * spread]
    return min(near) - 0.1 * spread


def _forest_text(found: Experiments, verdicts: Sequence[Verdict]) -> str:
    shown, commit = found.finished[:DRAWN], found.commit
    left_out = len(found.finished) - len(shown)
    before = f"The last commit has an accuracy of {_accuracy(commit)}. " if commit.evaluation else ""
    first = "; ".join(
        f"{one.label(commit)}: {_accuracy(one)} ({one.evaluation['ci_low']:.4f} to {one.evaluation['ci_high']:.4f}), "
        f"{MARKS[verdict.judgement, verdict.holds][0]}"
        for one, verdict in [*zip(shown, verdicts, strict=False)][:BEST]
    )
    more = f" {left_out} less accurate ones are left out." if left_out else ""
    return f"{before}Of {len(found.finished)} experiments, the most accurate are {first}.{more}"


def _others(one: Experiment, commit: Experiment, parameter: str) -> str:
    """Return what else differs from the commit in all experiments of a sweep."""
    own = f"recipes.{one.params['recipe']}."
    changes = [written(change, own) for change in one.changed(commit) if change.name != parameter]
    return ", ".join(changes) or "all else as in the last commit"


def _accuracies(experiments: Sequence[Experiment]) -> list[float]:
    return [one.evaluation["accuracy"] for one in experiments]


def _accuracy(one: Experiment) -> str:
    return f"{one.evaluation['accuracy']:.4f}"


def _spread(experiments: Sequence[Experiment]) -> list[list[float]]:
    """Return how far the intervals reach below and above the accuracies, as matplotlib takes it."""
    scores = [one.evaluation for one in experiments]
    return [[one["accuracy"] - one["ci_low"] for one in scores], [one["ci_high"] - one["accuracy"] for one in scores]]


def _set_ticks(axes: Axes, values: Sequence[float], geometric: bool) -> None:
    """Give x a tick at each value that has room for it, and a logarithmic scale if so."""
    if geometric:
        axes.set_xscale("log")
    ordered = sorted({*values})
    places = [math.log(value) if geometric else value for value in ordered]
    shown: dict[float, str] = {}
    end = -math.inf  # of the last label
    for value, place in zip(ordered, places, strict=True):
        text = value_text(float(value))
        at, width = AXIS * (place - places[0]) / ((places[-1] - places[0]) or 1), style.width_of(text)
        if at - width / 2 > end:
            shown[value], end = text, at + width / 2 + GAP
    axes.set_xticks([*shown], [*shown.values()])
    axes.xaxis.set_minor_locator(NullLocator())


def _shortened(text: str, inches: float) -> str:
    """Return a text that is not wider than this in small type."""
    short = text
    while style.width_of(short) * SMALL / style.FONT > inches:
        short = short.removesuffix("…")[:-1].rstrip(" ,") + "…"
    return short
