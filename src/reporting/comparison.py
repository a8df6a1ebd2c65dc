"""The run beside the one that git committed last."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML
from scipy.stats import binomtest

from src import prediction

CACHE = Path(".dvc/cache/files/md5")
CHANCE = 0.05  # a difference that chance alone makes less often than this is more than chance


@dataclass(frozen=True)
class Change:
    """A parameter or a metric, by its dotted name, in the last commit and now; None where it is not there."""

    name: str
    old: object
    new: object


def head() -> str:
    """Return the hash of git's last commit; empty without a commit, a repository or git."""
    return (_git("rev-parse", "--verify", "--quiet", "HEAD") or b"").decode().strip()


def committed_metrics() -> dict[str, Any]:
    """Return the metrics of the last commit, by the name of their file without its ending."""
    listed = (_git("ls-tree", "-r", "--name-only", "HEAD", "metrics") or b"").decode()
    return {metrics_name(Path(name)): json.loads(_committed(name)) for name in listed.splitlines()}


def metrics_name(path: Path) -> str:
    """Return how the metrics in a file are called: `train/0` for `metrics/train/0.json`."""
    return path.relative_to("metrics").with_suffix("").as_posix()


def committed_params() -> dict[str, Any]:
    """Return params.yaml of the last commit; empty if there is none."""
    return YAML(typ="safe", pure=True).load(_committed("params.yaml")) or {}


def committed_predictions() -> pd.DataFrame | None:
    """Return the predictions on the validation set of the last commit, if DVC's cache has them."""
    lock = YAML(typ="safe", pure=True).load(_committed("dvc.lock")) or {}
    outs = lock.get("stages", {}).get("evaluate", {}).get("outs", [])
    for md5 in (out["md5"] for out in outs if out["path"] == "data/predictions/validation.csv"):
        if (cached := CACHE / md5[:2] / md5[2:]).is_file():
            return prediction.read_compared(cached)
    return None


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two nested mappings, in the order of the new one."""
    before, after = _flat(old), _flat(new)
    names = [*after, *(name for name in before if name not in after)]
    found = [Change(name, before.get(name), after.get(name)) for name in names]
    return [change for change in found if change.old != change.new]


def verdict(
    old: Mapping[str, Any], new: Mapping[str, Any], old_rows: pd.DataFrame | None, new_rows: pd.DataFrame | None
) -> str:
    """Say in a sentence whether the accuracy differs by more than chance.

    Args:
        old: the metrics of `evaluate` in the last commit.
        new: those of this run.
        old_rows: the predictions of the last commit, as `read_compared` returns them; None if they are not at hand.
        new_rows: those of this run.
    """
    if "accuracy" not in old or "accuracy" not in new:
        return "One of the two runs has no validation accuracy, so they cannot be compared."
    move = f"The accuracy went from {old['accuracy']:.4f} to {new['accuracy']:.4f}"
    if old_rows is not None and new_rows is not None and old_rows["label"].equals(new_rows["label"]):
        was_right, is_right = (rows["label"] == rows["predicted"] for rows in (old_rows, new_rows))
        better, worse = int((is_right & ~was_right).sum()), int((was_right & ~is_right).sum())
        if better == worse == 0:
            return f"{move}: both runs are right on exactly the same {int(is_right.sum()):,} images."
        p = float(binomtest(better, better + worse).pvalue)
        more = "more than chance would do" if p < CHANCE else "no more than chance could do"
        return (
            f"{move}: of the same {len(new_rows):,} images this run gets {better:,} right that the other got wrong, "
            f"and {worse:,} wrong that the other got right; that is {more} (McNemar's exact test, p = {p:.2g})."
        )
    one, other = old["accuracy_interval"], new["accuracy_interval"]
    apart = one["high"] < other["low"] or other["high"] < one["low"]
    return (
        f"{move}. The two were not scored on the same images, or the predictions of one are not at hand, so only the "
        f"95 % intervals tell: they {'do not overlap: more than chance.' if apart else 'overlap, so it may be chance.'}"
    )


def _committed(path: str) -> bytes:
    """Return a file of the last commit, empty if it has none."""
    return _git("show", f"HEAD:./{path}") or b""


def _git(*arguments: str) -> bytes | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True)
    except FileNotFoundError:  # git is not installed
        return None
    return done.stdout if done.returncode == 0 else None


def _flat(nested: Mapping[str, Any]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": leaf for inner, leaf in _flat(value).items()}
        else:
            flat[str(name)] = value
    return flat
