"""Write report.html, one page that follows the data through the pipeline: `python -m src.reporting.report`."""

import hashlib
import html
import re
from pathlib import Path

from src.core import cli, metrics
from src.core.errors import UserError

PAGE = Path("report.html")
INPUTS = ("params.yaml", "dvc.yaml", "dvc.lock", ".git/HEAD", ".git/logs/HEAD")
"""The files that tell, together with the metrics, whether the page is up to date."""


def main(if_changed: bool = False) -> None:
    """Write the page from what there is of the run, and print a short table.

    Args:
        if_changed: leave the page as it is where nothing has changed since it was written, for `make repro`, which has
            just seen to it that all stages are up to date.

    Raises:
        UserError: with `if_changed`, if the submission was refused, for the exit status: the stage itself succeeds.
    """
    fingerprint = _fingerprint()
    if if_changed and (table := _table_of(fingerprint)):
        print(table)
    else:
        _write(fingerprint)
    submission = Path("metrics/submit.json")
    if if_changed and submission.exists() and metrics.read(submission).get("refused"):
        raise UserError("the submission was refused; all other results stand, and the next run submits")


def _write(fingerprint: str) -> None:
    from src.reporting import page  # loads numpy, pandas and DVC

    facts = page.collect()
    table = page.short_table(facts, PAGE)
    PAGE.write_text(page.render(facts, fingerprint, table), encoding="utf-8")
    print(table)


def _fingerprint() -> str:
    """Return a hash of everything that the page is made from, as far as it is not the output of a stage."""
    files = [
        *map(Path, INPUTS),
        *sorted(Path("metrics").rglob("*.json")),
        *sorted(path for path in Path(__file__).parent.rglob("*") if path.suffix in (".py", ".jinja")),
    ]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0".encode())
        digest.update(file.read_bytes() if file.is_file() else b"missing")
    # DVC deletes the pictures before it draws them
    digest.update(str(sorted(Path("plots/pictures").glob("*.png"))).encode())
    return digest.hexdigest()


def _table_of(fingerprint: str) -> str:
    """Return the short table in the page, if the page was made from these inputs; otherwise an empty text."""
    head = PAGE.read_text(encoding="utf-8")[:4000] if PAGE.exists() else ""
    found = {name: html.unescape(text) for name, text in re.findall(r'<meta name="run-(\w+)" content="([^"]*)">', head)}
    return found.get("table", "") if found.get("fingerprint") == fingerprint else ""


if __name__ == "__main__":
    cli.run(main)
