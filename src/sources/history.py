"""The submissions of this project over time, in a CSV file that git tracks."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from src.core import conflicts
from src.core.errors import UserError
from src.core.outputs import replacing
from src.sources.interface import SCORE, Sent
from src.sources.submission import MESSAGE

COLUMNS = ("date", "source", "experiment", "recipe", "folds", "seeds", "images", "accuracy", "ci_low", "ci_high",
           "public_score", "sha256")  # fmt: skip
"""Of each submission: the time in UTC, the run that made it, and the hash of its file.

`accuracy`, with the ends of its 95 % interval, is over `images` validation images. What is not known is empty: of a
submission from elsewhere the run, and of one by hand all but date and score, since its message may be private.
"""


def read(path: Path) -> list[dict[str, str]]:
    """Return a row for each submission, by `COLUMNS`, in the order in which they were recorded; none without the file.

    Raises:
        UserError: the file has other columns, or holds an unfinished merge.
    """
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    conflicts.refuse(path, text)
    rows = csv.DictReader(io.StringIO(text))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise UserError(f"{path}: expected the columns {', '.join(COLUMNS)}; `git checkout {path}`")
    return list(rows)


def record(path: Path, source: str, run: Mapping[str, object] | None, listed: Sequence[Sent]) -> None:
    """Add the submissions that the file lacks. A file that has them all stays as it is, byte for byte.

    Args:
        path: the file.
        source: the name of the source.
        run: what was submitted just now, by `COLUMNS`, without date, source and experiment; None if nothing was.
        listed: what the source lists, the latest first.
    """
    rows = read(path)
    known = {(row["source"], row["sha256"] or row["date"]) for row in rows}
    found = [_listed(sent, source) for sent in reversed(listed) if not sent.failed and SCORE.fullmatch(sent.score)]
    if run is not None:
        now = datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
        # DVC names the experiment in the environment of its stages
        found = [_row(date=now, source=source, experiment=os.environ.get("DVC_EXP_NAME", ""), **run), *found]
    added = []
    for row in found:
        if (key := (row["source"], row["sha256"] or row["date"])) not in known:
            known.add(key)
            added.append(row)
    if not added:
        return
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, *added])


def _listed(sent: Sent, source: str) -> dict[str, str]:
    ours = MESSAGE.search(sent.message)
    accuracy, sha256 = (ours["accuracy"], ours["sha256"]) if ours else ("", "")
    return _row(
        date=sent.date[: len("2026-01-31T12:00:00")], source=source,
        accuracy="" if accuracy == "unknown" else accuracy, public_score=sent.score, sha256=sha256,
    )  # fmt: skip


def _row(**known: object) -> dict[str, str]:
    return {column: str(known.get(column, "")) for column in COLUMNS}
