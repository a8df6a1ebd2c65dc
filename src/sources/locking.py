"""Let one run of a stage proceed at a time: a killed `dvc` leaves its stage running, and the next would overlap it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from src.core.errors import UserError


@contextmanager
def exclusive(stage: str, path: Path, patience: float = 1800.0) -> Iterator[None]:
    """Hold the lock of `stage`, the file `path`, after waiting for it for at most `patience` seconds.

    The operating system frees the lock when the process ends, however it ends. A child process that keeps the open
    files of its parent (`close_fds=False`) shares the lock: then it is free when both have ended.

    Raises:
        UserError: another run has held the lock for all that time.
    """
    end = time.monotonic() + patience
    with path.open("w") as file:
        os.set_inheritable(file.fileno(), True)
        if not _take(file):
            print(f"another run of {stage} has not finished yet; waiting for it", flush=True)
            while not _take(file):
                if time.monotonic() > end:
                    raise UserError(
                        f"another run of {stage} is still in progress after {patience:.0f} s; wait for it, "
                        f"or stop it (its process holds {path})"
                    )
                time.sleep(0.2)
        yield


def _take(file: TextIO) -> bool:
    import fcntl  # not at the top: native Windows lacks it, and `cli.run` says so in one line

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
