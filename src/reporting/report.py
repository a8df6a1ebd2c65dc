"""Write report.html, one page with the data and the results of each stage: `python -m src.reporting.report`."""

import hashlib
import html
import re
from pathlib import Path

from src.core import cli, metrics
from src.core.errors import UserError
from src.reporting import git
from src.reporting.experiments import refs

PAGE = Path("report.html")
INPUTS = ("params.yaml", "dvc.yaml", "dvc.lock")
"""The files that determine, with the metrics and the last commit, whether the page is up to date."""


def main(after_repro: int | None = None) -> None:
    """Write the page from the files of the run, some of which may be missing, and print a short table.

    Args:
        after_repro: the exit status of the `dvc repro` that `make repro` has just run. After a success the page is left
            as it is if nothing has changed since it was written.

    Raises:
        UserError: DVC cannot tell whether the results are up to date; or, in `make repro`, the submission was refused:
            the stage itself succeeds, but `make repro` must not.
    """
    fingerprint = _fingerprint()
    if after_repro == 0 and (table := _table_of(fingerprint)):
        print(table)
    else:
        _write(fingerprint, started=after_repro in (None, 0))
    submission = Path("metrics/submit.json")
    if after_repro == 0 and submission.exists() and metrics.read(submission).get("refused"):
        raise UserError("the submission was refused; all other results are valid, and the next run submits again")


def _write(fingerprint: str, started: bool) -> None:
    from src.reporting import facts, page  # loads numpy and pandas

    found = facts.collect()
    failure = found["status"].failure
    if failure and not started:
        raise UserError(f"no stage was run, and the results are from an earlier run; {failure}")
    table = page.short_table(found, PAGE)
    # a stage may become up to date without a change of any file of the fingerprint
    fingerprint = "" if failure or found["status"].outdated else fingerprint
    PAGE.write_text(page.render(found, fingerprint, table), encoding="utf-8")
    print(table)
    if failure:
        raise UserError(f"the results could not be checked: {failure}")


def _fingerprint() -> str:
    """Return a hash of everything that the page is made from; dvc.lock stands for the outputs of the stages."""
    files = [
        *map(Path, INPUTS),
        *sorted(Path("metrics").rglob("*.json")),
        *sorted(path for path in Path(__file__).parent.rglob("*") if path.suffix in (".py", ".jinja")),
    ]
    digest = hashlib.sha256(git.ask("rev-parse", "HEAD").encode())
    for file in files:
        digest.update(f"{file}\0".encode())
        digest.update(file.read_bytes() if file.is_file() else b"missing")
    # a stage that failed has lost its pictures, for DVC deletes the outputs of a stage before it runs
    digest.update(str(sorted(Path("plots/pictures").glob("*.png"))).encode())
    digest.update(refs.traces().encode())
    return digest.hexdigest()


def _table_of(fingerprint: str) -> str:
    """Return the short table in the page if the page was made from these inputs; otherwise an empty string."""
    head = PAGE.read_text(encoding="utf-8")[:4000] if PAGE.exists() else ""
    found = {name: html.unescape(text) for name, text in re.findall(r'<meta name="run-(\w+)" content="([^"]*)">', head)}
    return found.get("table", "") if found.get("fingerprint") == fingerprint else ""


if __name__ == "__main__":
    cli.run(main)
