"""Compare the run with the last commit."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import pandas as pd

from src.core.yaml_1_2 import load_yaml
from src.reporting import git
from src.reporting.pictures import results

PREDICTIONS = Path("data/predictions/validation.csv")
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Run:
    """The parameters, the metrics and the predictions of a run.

    Attributes:
        params: params.yaml.
        metrics: those of each file, by its name in the folder `metrics`, such as `evaluate`.
        predicted: the out-of-fold predictions, as `read_predictions` returns them; None if they are missing.
    """

    params: Mapping[str, Any]
    metrics: Mapping[str, Any]
    predicted: pd.DataFrame | None


@dataclass(frozen=True)
class Change:
    """A parameter or a metric, by its dotted name, in the last commit and now; None where it is missing."""

    name: str
    old: object
    new: object


def committed_run() -> Run:
    """Return the run of the last commit, with the predictions that DVC has of it."""
    files = git.ask("ls-tree", "-r", "--name-only", "HEAD", "metrics/").split()
    metrics = {
        metrics_name(Path(file)): json.loads(git.ask("show", f"HEAD:./{file}")) for file in files if ".json" in file
    }
    return Run(load_yaml(git.ask("show", "HEAD:./params.yaml")), metrics, committed_predictions("HEAD"))


def metrics_name(file: Path) -> str:
    """Return the name of a metrics file: `train/4-0` of `metrics/train/4-0.json`."""
    return file.relative_to("metrics").with_suffix("").as_posix()


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return the differences between two nested mappings, in the order of the new one."""
    before, after = flat(old), flat(new)
    names = [*after, *(name for name in before if name not in after)]
    found = [Change(name, before.get(name), after.get(name)) for name in names]
    return [change for change in found if change.old != change.new]


def verdict(old: Run, new: Run) -> str:
    """Return a sentence that says whether the difference in accuracy is significant."""
    was, now = (run.metrics.get("evaluate", {}) for run in (old, new))
    if not all({"accuracy", "ci_low", "ci_high"} <= {*scores} for scores in (was, now)):
        return "One of the two runs has no accuracy with an interval, so they cannot be compared."
    difference = f"The accuracy went from {was['accuracy']:.4f} to {now['accuracy']:.4f}"
    paired = pair(old.predicted, new.predicted)
    if paired is not None:
        if paired.corrected == paired.new == 0:
            return f"{difference}: both runs are correct on exactly the same images, of {paired.images:,}."
        significant = "significant" if paired.p < SIGNIFICANCE else "not significant"
        least = paired.detectable()
        detectable = f"a difference of {least:,} errors or more" if least else "no difference"
        return (
            f"{difference}: of the same {paired.images:,} images this run corrects {paired.corrected:,} errors of the "
            f"last commit and makes {paired.new:,} new ones; the difference is {significant} at the 5 % level "
            f"(McNemar's exact test, p = {paired.p:.2g}). With {paired.corrected + paired.new:,} images on which just "
            f"one of the two runs is correct, {detectable} would have been significant."
        )
    low, high = sorted((was, now), key=lambda scores: float(scores["accuracy"]))
    overlap = "overlap: the difference may be due to chance." if low["ci_high"] >= high["ci_low"] else "do not overlap."
    return (
        f"{difference}. The two runs were not scored on the same images, or the predictions of one are missing, so "
        f"only their 95 % intervals can be compared: they {overlap}"
    )


@dataclass(frozen=True)
class Paired:
    """Two runs on the images that both validated.

    Attributes:
        images: their number.
        corrected: those on which only the second run is correct.
        new: those on which only the first run is correct.
    """

    images: int
    corrected: int
    new: int

    @property
    def p(self) -> float:
        """The p-value of McNemar's exact test; 1 where the runs are correct on the same images."""
        fewer = min(self.corrected, self.new)
        return min(1.0, 2 * next(islice(_tails(self.corrected + self.new), fewer, None)))

    @property
    def judgement(self) -> str:
        """Whether the second run is `better`, `worse`, or that is `undecided`, at the 5 % level."""
        if self.p >= SIGNIFICANCE:
            return "undecided"
        return "better" if self.corrected > self.new else "worse"

    def detectable(self) -> int:
        """Return the least difference in errors that so many differing images make significant; 0 if none does."""
        differ = self.corrected + self.new
        significant = sum(1 for _ in takewhile(lambda tail: 2 * tail < SIGNIFICANCE, _tails(differ)))
        return differ - 2 * (significant - 1) if significant else 0


def _tails(trials: int) -> Iterator[float]:
    """Yield the probability of at most 0, 1, 2, ... successes in trials that succeed or fail with equal probability."""
    outcomes, ways = 2**trials, 1  # in whole numbers, which are exact
    at_most = ways
    for successes in range(trials + 1):
        yield at_most / outcomes
        ways = ways * (trials - successes) // (successes + 1)
        at_most += ways


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values of several tests as Holm's step-down correction adjusts them, in the same order.

    Those below a level are the tests that hold together at that level: the probability that one of them or more is
    false is at most the level (Holm, S. (1979), A simple sequentially rejective multiple test procedure, Scandinavian
    Journal of Statistics 6, 65 to 70).
    """
    adjusted, largest = [1.0] * len(p_values), 0.0
    for rank, test in enumerate(sorted(range(len(p_values)), key=lambda test: p_values[test])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[test]))
        adjusted[test] = largest
    return adjusted


def pair(old: pd.DataFrame | None, new: pd.DataFrame | None) -> Paired | None:
    """Compare the predictions of two runs, as `read_predictions` returns them, on the images that both validated.

    None if there are none, or if their labels differ.
    """
    if old is None or new is None:
        return None
    common = old.index.intersection(new.index)
    old, new = old.loc[common], new.loc[common]
    if common.empty or not old["label"].equals(new["label"]):
        return None
    was_correct, is_correct = (rows["label"] == rows["predicted"] for rows in (old, new))
    corrected, errors = int((is_correct & ~was_correct).sum()), int((was_correct & ~is_correct).sum())
    return Paired(len(common), corrected, errors)


def committed_predictions(rev: str) -> pd.DataFrame | None:
    """Return the out-of-fold predictions of a commit or an experiment; None if DVC does not have them."""
    import dvc.api
    from dvc.exceptions import DvcException

    try:
        return results.read_predictions(io.StringIO(dvc.api.read(git.prefix() + PREDICTIONS.as_posix(), rev=rev)))
    except (DvcException, FileNotFoundError, ValueError):  # not in the cache, no such output, or one of another form
        return None


def flat(nested: Mapping[str, Any]) -> dict[str, object]:
    """Return the values of a nested mapping by their dotted names."""
    found: dict[str, object] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": leaf for inner, leaf in flat(value).items()}
        else:
            found[str(name)] = value
    return found
