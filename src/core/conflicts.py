"""Files that git left with conflict markers."""

from pathlib import Path

from src.core.errors import UserError

MARKER = "<<<<<<< "


def refuse(path: Path, text: str) -> None:
    """Refuse the text of a file if it holds an unfinished merge.

    Raises:
        UserError: a line is a conflict marker.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(MARKER):
            raise UserError(
                f"{path}, line {number}: an unfinished merge; choose one of the two sides and remove the "
                "conflict markers, or undo the merge with `git merge --abort`"
            )
