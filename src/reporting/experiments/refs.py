"""What tells of the experiments since the last commit without DVC, whose import takes a second."""

from pathlib import Path

from src.reporting import git

QUEUE = "refs/exps/celery/"
RUNS = Path(".dvc/tmp/exps/run")
"""Where DVC has a folder for each experiment that was started outside the workspace."""


def traces() -> str:
    """Return a text that is another one whenever an experiment was queued, started, finished or removed.

    It is empty if there was none.
    """
    refs = git.ask("for-each-ref", "--format=%(objectname) %(refname)", _of(git.ask("rev-parse", "HEAD")), QUEUE)
    return "\n".join(filter(None, [refs, *(path.name for path in sorted(RUNS.glob("*")))]))


def finished(commit: str) -> list[tuple[str, str]]:
    """Return the commit and the name of each experiment that started from a commit and has not failed."""
    lines = git.ask("for-each-ref", "--format=%(objectname) %(refname:lstrip=4)", _of(commit)).splitlines()
    return [(rev, name) for rev, name in (line.split(" ", 1) for line in lines)]


def _of(commit: str) -> str:
    return f"refs/exps/{commit[:2]}/{commit[2:]}/"
