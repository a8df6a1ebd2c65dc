"""The process in which a request to Kaggle runs, as the run that asks sees it."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from src.core.progress import measured

CLIENT = "src.sources.kaggle.client"
GRACE = 10.0
"""Seconds after its deadline at which a child that has not ended by itself is killed."""
DOING = {
    "download": "downloading from Kaggle",
    "submissions": "asking Kaggle for the submissions",
    "send": "sending the predictions to Kaggle",
}
"""What to show of a request that takes long."""
OWN_CONSOLE = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""The flags for it on Windows; 0 elsewhere."""


def ask(request: str, arguments: Mapping[str, object], seconds: float, lock: Path | None) -> tuple[str, int]:
    """Return what a child process answers to a request, and its exit status.

    The answer is the JSON of `client.answer`, cut off if the child ended before that was complete.

    Args:
        request: a key of `client.REQUESTS`.
        arguments: its arguments by name.
        seconds: after which the child ends.
        lock: the one that the child holds, and finishes although its parent ends; None for neither.
    """
    answer = ""
    unit = "B" if request == "download" else ""
    # The child that sends holds a lock of its own, so that no other run starts while it still does. In a session of
    # its own, on Windows in a console of its own, it is out of reach of a terminal's Ctrl-C.
    with measured(DOING[request], unit=unit) as tell, subprocess.Popen(
        [sys.executable, "-m", CLIENT, *([str(lock)] if lock else [])],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        start_new_session=lock is not None, creationflags=OWN_CONSOLE if lock else 0,
    ) as child:  # fmt: skip
        assert child.stdin and child.stdout
        overdue = threading.Timer(seconds + GRACE, child.kill)
        overdue.daemon = True
        overdue.start()
        with suppress(OSError):  # a child that was killed reads nothing
            if child.stdout.readline():
                content = {"request": request, "arguments": arguments, "seconds": seconds}
                print(json.dumps(content), file=child.stdin, flush=True)
                for line in child.stdout:
                    if line.startswith("{"):
                        answer = line
                    elif line.endswith("\n"):  # a child that is killed ends in the middle of one
                        done, expected = map(int, line.split())
                        tell(done, expected or None)
        overdue.cancel()
    return answer, child.returncode
