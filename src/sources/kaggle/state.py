"""Submissions of this user in progress, recorded in the user's state folder, whatever folder a run is started in.

The folder is that of the XDG base directory specification: `XDG_STATE_HOME`, by default `~/.local/state`.
"""

import json
import os
import time
from pathlib import Path

from src.core.errors import UserError
from src.core.outputs import replacing


def path(name: str) -> Path:
    """Return the path of the file `name`, in a folder that exists.

    Raises:
        UserError: the folder cannot be made.
    """
    try:
        home = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
        folder = Path(home) / "digit-recognizer"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder / name
        reason = "it cannot be written"
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", "") or str(error)
    raise UserError(
        f"no folder to remember submissions in ({reason}); set HOME or XDG_STATE_HOME to one that can be written"
    )


class Intents:
    """The submissions that were begun and have not been seen in Kaggle's list yet: message and time.

    They are written before a send, so that a run after one that was killed knows that Kaggle may still take it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def age(self, message: str) -> float | None:
        """Return the seconds since the submission was begun; None if it was not, or was seen in the list."""
        begun = self._read().get(message)
        return None if begun is None else max(0.0, time.time() - begun)

    def record(self, message: str) -> None:
        """Note that the submission begins now."""
        self._write(self._read() | {message: time.time()})

    def forget(self, message: str) -> None:
        """Note that the submission is known to be taken, or refused."""
        kept = self._read()
        if kept.pop(message, None) is not None:
            self._write(kept)

    def _read(self) -> dict[str, float]:
        try:
            content = json.loads(self._file.read_text())
            return {str(message): float(begun) for message, begun in content.items()}
        except (FileNotFoundError, ValueError, AttributeError, TypeError):
            return {}

    def _write(self, intents: dict[str, float]) -> None:
        with replacing(self._file) as temporary:
            temporary.write_text(json.dumps(intents))
