"""Files that git left with conflict markers."""

from pathlib import Path

from src.core.errors import UserError

MARKER = "<<<<<<< "


def refuse(path: Path, text: str) -> None:
    """Refuse the text of a file that holds an unfinished merge.

    Raises:
        UserError: it does.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(MARKER):
            raise UserError(
                f"{path}, line {number}: an unfinished merge; choose between the two sides and take the markers out, "
                "or go back with `git merge --abort`"
            )
