"""Submissions of this user, in progress and taken, recorded in the user's state folder, wherever a run is started.

The folder is where the system keeps such records: on Linux in `XDG_STATE_HOME`, by default `~/.local/state`.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_state_path

from src.core.errors import UserError
from src.core.outputs import replacing

KEPT = 1000
"""The most entries of a record. The oldest make room: Kaggle's list has their messages, if they were not edited."""


def path(name: str) -> Path:
    """Return the path of the file `name`, in a folder that exists.

    Raises:
        UserError: the folder cannot be made.
    """
    try:
        folder = user_state_path("digit-recognizer", appauthor=False)
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder / name
        reason = "it cannot be written"
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", "") or str(error)
    raise UserError(
        f"the record of submissions cannot be written ({reason}); set HOME or XDG_STATE_HOME to one that can be written"
    )


class Intents:
    """The submissions that were begun and have not been seen in Kaggle's list yet: message and time.

    They are written before a send, so that a run after one that was killed knows that Kaggle may still take it.
    """

    def __init__(self, competition: str) -> None:
        self._file = path(f"{competition.lower()}.json")

    def age(self, message: str) -> float | None:
        """Return the seconds since the submission was begun; None if it was not, or was seen in the list."""
        begun = self._begun().get(message)
        return None if begun is None else max(0.0, time.time() - begun)

    def record(self, message: str) -> None:
        """Note that the submission begins now."""
        begun = self._begun()
        begun.pop(message, None)  # so that it becomes the latest
        _write(self._file, begun | {message: time.time()})

    def forget(self, message: str) -> None:
        """Note that the submission is known to be taken, or refused."""
        begun = self._begun()
        if begun.pop(message, None) is not None:
            _write(self._file, begun)

    def _begun(self) -> dict[str, float]:
        return {message: begun for message, begun in _read(self._file).items() if isinstance(begun, float)}


class Taken:
    """The submissions that Kaggle took: number and message as it was sent.

    In Kaggle's list the message may be another: it can be edited there, and the service may cut it or leave it out.
    The file is not that of `Intents`: an older version of this program would drop these entries from it.
    """

    def __init__(self, competition: str) -> None:
        self._file = path(f"{competition.lower()}.taken.json")  # no competition has a name with a dot

    def messages(self) -> dict[str, str]:
        """Return the messages by number, the latest noted last."""
        return {ref: message for ref, message in _read(self._file).items() if isinstance(message, str)}

    def add(self, ref: int, message: str) -> None:
        """Note the number of a submission."""
        known = self.messages()
        if str(ref) not in known:
            _write(self._file, known | {str(ref): message})


def _read(file: Path) -> dict[str, object]:
    """Return what the file records; nothing if it is missing or damaged, which must stop no submission."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(file: Path, entries: Mapping[str, object]) -> None:
    with replacing(file) as temporary:
        temporary.write_text(json.dumps(dict(list(entries.items())[-KEPT:])), encoding="utf-8")
