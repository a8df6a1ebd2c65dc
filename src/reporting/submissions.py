"""Print the submissions over time, the latest first: `python -m src.reporting.submissions`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from src.core import cli
from src.reporting import git
from src.sources import history

PATH = Path("metrics/submissions.csv")
DAY = 10  # characters, of 2026-01-31
NAMED = 20  # points in the chart, the latest
LINE = 0.045  # of the height of the chart, for a name


def main() -> None:
    """Print a row for each submission that the file records.

    Raises:
        UserError: the file cannot be read.
    """
    rows = table()
    if rows.empty:
        print("No submission is recorded yet: the stage submit records them.")
    else:
        print(rows.to_string(index=False))


def table() -> pd.DataFrame:
    """Return a row of text for each submission, the latest first.

    `run` is the commit that recorded it, or the experiment; it is empty for a submission from elsewhere.
    `networks` are folds times seeds, and `difference` is the public score less the validation accuracy.

    Raises:
        UserError: the file cannot be read.
    """
    return pd.DataFrame([_described(row, run) for row, run in _runs()])


def agreement() -> dict[str, Any]:
    """Return where each submission with both scores is in a chart whose diagonal has equal scores.

    Its axes run from the `least` to the `greatest` of all values, as 0 to 1. Of the `points`, `x` is the validation
    accuracy, `low` and `high` are the ends of its interval, and `y` is the public score. Its `name` is the run, or else
    the day; `name_y` is where that stands beside the chart, None of all but the latest if they are many.

    Raises:
        UserError: the file cannot be read.
    """
    columns = {"x": "accuracy", "low": "ci_low", "high": "ci_high", "y": "public_score"}
    runs = [(row, run) for row, run in _runs() if row["accuracy"] and row["public_score"]]
    points = [{name: float(row[column] or row["accuracy"]) for name, column in columns.items()} for row, _ in runs]
    values = [value for point in points for value in point.values()] or [0.0]
    least, greatest = min(values), max(values)
    scale = greatest - least or 1
    scaled: list[dict[str, Any]] = [
        {name: (value - least) / scale for name, value in point.items()}
        | {"name": run or row["date"][:DAY], "text": f"{row['public_score']} against {_four(row['accuracy'])}"}
        for point, (row, run) in zip(points, runs, strict=True)
    ]
    heights = _spread([point["y"] for point in scaled[:NAMED]]) + [None] * len(scaled[NAMED:])
    return {
        "least": least,
        "greatest": greatest,
        "points": [point | {"name_y": height} for point, height in zip(scaled, heights, strict=True)],
    }


def _spread(heights: Sequence[float]) -> list[float | None]:
    """Return heights close to these, in the same order, but so far apart that a line of text fits between two."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed: list[float] = []
    for index in order:
        placed.append(max(heights[index], placed[-1] + LINE) if placed else heights[index])
    # those that were pushed beyond the top push the others down
    for rank in reversed(range(len(placed))):
        placed[rank] = min(placed[rank], 1 - LINE * (len(placed) - 1 - rank))
    return [placed[order.index(index)] for index in range(len(heights))]


def _runs() -> list[tuple[dict[str, str], str]]:
    """Return each recorded submission with its run, the latest first."""
    recorded = history.read(PATH)
    runs = [
        (row, (row["experiment"] or commit) if row["recipe"] else "")
        for row, commit in zip(recorded, _commits(len(recorded)), strict=True)
    ][::-1]
    return sorted(runs, key=lambda run: run[0]["date"], reverse=True)


def _described(row: dict[str, str], run: str) -> dict[str, str]:
    count = {key: len(row[key].split()) for key in ("folds", "seeds")}
    both = row["accuracy"] and row["public_score"]
    return {
        "date": row["date"][: len("2026-01-31T12:00")].replace("T", " "),
        "source": row["source"],
        "run": run,
        "recipe": row["recipe"],
        "networks": f"{count['folds']} x {count['seeds']}" if row["folds"] else "",
        "accuracy": _four(row["accuracy"]),
        "95 % interval": f"{_four(row['ci_low'])} to {_four(row['ci_high'])}" if row["ci_low"] else "",
        "public score": row["public_score"],
        "difference": f"{float(row['public_score']) - float(row['accuracy']):+.4f}" if both else "",
    }


def _four(value: str) -> str:
    return f"{float(value):.4f}" if value else ""


def _commits(count: int) -> list[str]:
    """Return the commit that added each of the `count` rows of the file; empty while there is none."""
    lines = git.ask("blame", "-s", "--abbrev=7", "-L", "2,", "--", str(PATH)).splitlines()
    hashes = [line.split(maxsplit=1)[0].lstrip("^") for line in lines]
    # there are none where git does not track the file yet
    return ["" if set(name) == {"0"} else name for name in hashes] or [""] * count


if __name__ == "__main__":
    cli.run(main)
