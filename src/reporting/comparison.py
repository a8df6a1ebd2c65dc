"""Compare the run with the last commit."""

import io
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy.stats import binomtest

from src.reporting.pictures import results

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Run:
    """The parameters, the metrics and the predictions of a run.

    Attributes:
        params: params.yaml.
        metrics: all metrics files, merged as `dvc.api.metrics_show` does.
        predicted: the predictions on the validation set, as `read_predictions` returns them; None if they are missing.
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


def last_commit() -> str:
    """Return the hash of git's last commit; empty without a commit, a repository or git."""
    command = ["git", "rev-parse", "--verify", "--quiet", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:  # git is not installed
        return ""
    return done.stdout.strip()


def committed_run(predictions_csv: str) -> Run:
    """Return the run of the last commit, with the predictions that DVC has of it."""
    import dvc.api
    from dvc.exceptions import DvcException

    try:
        predicted = results.read_predictions(io.StringIO(dvc.api.read(predictions_csv, rev="HEAD")))
    except (DvcException, FileNotFoundError):  # not in the cache, or the commit has no such output
        predicted = None
    try:
        metrics = dvc.api.metrics_show(rev="HEAD")
    except (DvcException, FileNotFoundError):
        metrics = {}
    return Run(dvc.api.params_show("params.yaml", rev="HEAD"), metrics, predicted)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return the differences between two nested mappings, in the order of the new one."""
    before, after = _flat(old), _flat(new)
    names = [*after, *(name for name in before if name not in after)]
    found = [Change(name, before.get(name), after.get(name)) for name in names]
    return [change for change in found if change.old != change.new]


def verdict(old: Run, new: Run) -> str:
    """Return a sentence that says whether the difference in accuracy is significant."""
    if "accuracy" not in old.metrics or "accuracy" not in new.metrics:
        return "One of the two runs has no validation accuracy, so they cannot be compared."
    difference = f"The accuracy went from {old.metrics['accuracy']:.4f} to {new.metrics['accuracy']:.4f}"
    if (
        old.predicted is not None
        and new.predicted is not None
        and old.predicted["label"].equals(new.predicted["label"])
    ):
        was_correct, is_correct = (rows["label"] == rows["predicted"] for rows in (old.predicted, new.predicted))
        better, worse = int((is_correct & ~was_correct).sum()), int((was_correct & ~is_correct).sum())
        if better == worse == 0:
            return f"{difference}: both runs are correct on exactly the same {int(is_correct.sum()):,} images."
        p = float(binomtest(better, better + worse).pvalue)
        significant = "significant" if p < SIGNIFICANCE else "not significant"
        return (
            f"{difference}: of the same {len(new.predicted):,} images this run corrects {better:,} errors of the last "
            f"commit and makes {worse:,} new ones; the difference is {significant} at the 5 % level (McNemar's exact "
            f"test, p = {p:.2g})."
        )
    low, high = (run.metrics["accuracy_interval"] for run in sorted((old, new), key=_accuracy))
    overlap = "overlap: the difference may be due to chance." if low["high"] >= high["low"] else "do not overlap."
    return (
        f"{difference}. The two runs were not scored on the same images, or the predictions of one are missing, so "
        f"only their 95 % intervals can be compared: they {overlap}"
    )


def _accuracy(run: Run) -> float:
    accuracy: float = run.metrics["accuracy"]
    return accuracy


def _flat(nested: Mapping[str, Any]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": leaf for inner, leaf in _flat(value).items()}
        else:
            flat[str(name)] = value
    return flat
