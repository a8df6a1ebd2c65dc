"""Print the experiments since the last commit, the most accurate first: `python -m src.reporting.experiments`."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from src.core import cli
from src.core.errors import UserError
from src.reporting import comparison

OWN_COLUMNS = ("recipe", "folds", "seeds")
UNFINISHED = ("Queued", "Running", "Failed")


def main() -> None:
    """Print a row for the last commit and each experiment.

    Raises:
        UserError: DVC cannot list the experiments.
    """
    import dvc.api
    from dvc.exceptions import DvcException

    try:
        rows = dvc.api.exp_show()
    except DvcException as error:
        raise UserError(f"DVC cannot list the experiments: {error}") from None
    listed = [row for row in rows if row["rev"] != "workspace"]
    shown = table(listed, judge([row["rev"] for row in listed[1:] if row["State"] not in UNFINISHED]))
    if len(shown) == 1:
        print("There is no experiment since the last commit. Run one: dvc exp run -S recipe=mlp")
        return
    print(shown.to_string(index=False))
    if shown["state"].isin(["Running"]).any():
        print("If an experiment that was killed is shown as running, clear it: dvc queue kill NAME")


def judge(revs: Sequence[str]) -> dict[str, str]:
    """Return whether each experiment is `better` or `worse` than the last commit, or `undecided`, by its revision.

    McNemar's exact test at the 5 % level on the images that both validated; an experiment is missing if there is none.
    """
    if not revs:
        return {}
    old = comparison.committed_predictions("HEAD")
    paired = {rev: comparison.pair(old, comparison.committed_predictions(rev)) for rev in revs}
    return {rev: found.judgement for rev, found in paired.items() if found is not None}


def table(rows: Sequence[Mapping[str, Any]], judgements: Mapping[str, str]) -> pd.DataFrame:
    """Return what `dvc.api.exp_show` knows of the last commit, its first row, and of the experiments, as text.

    An experiment that has not finished has no scores: DVC gives those of the commit.
    """
    commit, *experiments = rows
    scored = [row for row in experiments if row["State"] not in UNFINISHED]
    waiting = [row for row in experiments if row["State"] in UNFINISHED]
    scored.sort(key=lambda row: -(row.get("accuracy") or 0))
    described = [_described(row, commit, judgements.get(row["rev"], "")) for row in [commit, *scored, *waiting]]
    return pd.DataFrame(described).astype(object).fillna("").astype(str)


def _described(row: Mapping[str, Any], commit: Mapping[str, Any], judgement: str) -> dict[str, object]:
    params = [key for key in row if key.startswith(("recipes.", "split.", "sources.", "submit.")) or key == "source"]
    # DVC gives every number as a float
    changed = [
        f"{key}={row[key]:g}" if isinstance(row[key], float) else f"{key}={row[key]}"
        for key in params
        if row[key] != commit.get(key) and row[key] is not None
    ]
    described = {
        "experiment": row["Experiment"] or (row["rev"] if row is commit else f"({row['rev']})"),
        **{key: row.get(key) for key in OWN_COLUMNS},
        "also changed": ", ".join(changed),
        "state": row["State"] if row["State"] in UNFINISHED else "",
    }
    if row["State"] not in UNFINISHED and row.get("accuracy") is not None:
        described |= {
            "accuracy": f"{row['accuracy']:.4f}",
            "95 % interval": f"{row['ci_low']:.4f} to {row['ci_high']:.4f}",
            "vs commit": judgement,
            # DVC gives a missing score as this text
            "public score": "" if row.get("public_score") == "None" else row.get("public_score"),
        }
    return described


if __name__ == "__main__":
    cli.run(main)
