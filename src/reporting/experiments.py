"""Print the experiments since the last commit, the most accurate first: `python -m src.reporting.experiments`."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from src.core import cli
from src.core.errors import UserError

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
    shown = table([row for row in rows if row["rev"] != "workspace"])
    if len(shown) == 1:
        print("There is no experiment since the last commit. This makes one: dvc exp run -S recipe=mlp")
        return
    print(shown.to_string(index=False))
    if shown["state"].isin(["Running"]).any():
        print("If an experiment that was killed is shown as running, clear it: dvc queue kill NAME")


def table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return what `dvc.api.exp_show` knows of the last commit, its first row, and of the experiments, as text.

    An experiment that has not finished has no scores: those that DVC gives are the commit's.
    """
    commit, *experiments = rows
    scored = [row for row in experiments if row["State"] not in UNFINISHED]
    waiting = [row for row in experiments if row["State"] in UNFINISHED]
    scored.sort(key=lambda row: -(row.get("accuracy") or 0))
    described = [_described(row, commit) for row in [commit, *scored, *waiting]]
    return pd.DataFrame(described).astype(object).fillna("").astype(str)


def _described(row: Mapping[str, Any], commit: Mapping[str, Any]) -> dict[str, object]:
    params = [key for key in row if key.startswith(("recipes.", "split.", "sources.", "submit.")) or key == "source"]
    changed = [f"{key}={row[key]}" for key in params if row[key] != commit.get(key) and row[key] is not None]
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
            "public score": row.get("public_score"),
        }
    return described


if __name__ == "__main__":
    cli.run(main)
