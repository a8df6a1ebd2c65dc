"""Write report.html, one page that follows the data through the pipeline: `python -m src.reporting.report`."""

import hashlib
import html
import re
from pathlib import Path

from src.core import cli, metrics
from src.core.errors import UserError

PAGE = Path("report.html")
INPUTS = ("params.yaml", "dvc.yaml", "dvc.lock", ".git/HEAD", ".git/logs/HEAD")
"""The files that determine, together with the metrics, whether the page is up to date."""


def main(if_changed: bool = False) -> None:
    """Write the page from the files of the run, of which some may be missing, and print a short table.

    Args:
        if_changed: leave the page as it is if nothing has changed since it was written. This is for `make repro`, which
            has just brought all stages up to date.

    Raises:
        UserError: with `if_changed`, the submission was refused; the stage itself succeeds, but `make repro` must not.
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
    """Return a hash of everything that the page is made from; dvc.lock stands for the outputs of the stages."""
    files = [
        *map(Path, INPUTS),
        *sorted(Path("metrics").rglob("*.json")),
        *sorted(path for path in Path(__file__).parent.rglob("*") if path.suffix in (".py", ".jinja")),
    ]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0".encode())
        digest.update(file.read_bytes() if file.is_file() else b"missing")
    # a stage that failed has lost its pictures, for DVC deletes the outputs of a stage before it runs
    digest.update(str(sorted(Path("plots/pictures").glob("*.png"))).encode())
    return digest.hexdigest()


def _table_of(fingerprint: str) -> str:
    """Return the short table in the page if the page was made from these inputs; otherwise an empty string."""
    head = PAGE.read_text(encoding="utf-8")[:4000] if PAGE.exists() else ""
    found = {name: html.unescape(text) for name, text in re.findall(r'<meta name="run-(\w+)" content="([^"]*)">', head)}
    return found.get("table", "") if found.get("fingerprint") == fingerprint else ""


if __name__ == "__main__":
    cli.run(main)
