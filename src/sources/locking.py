"""Let one run of a stage proceed at a time: a killed `dvc` leaves its stage running, and the next would overlap it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from src.core.errors import UserError


@contextmanager
def exclusive(stage: str, path: Path, patience: float = 1800.0) -> Iterator[None]:
    """Hold the lock of `stage`, the file `path`, after waiting for it for at most `patience` seconds.

    The operating system frees the lock when the process ends, however it ends. A child process that may outlive its
    run holds the lock `of_child(path)`, for which this waits as well.

    Raises:
        UserError: another run, or its child, has held a lock for all that time.
    """
    with _acquired(stage, path, patience):
        if of_child(path).exists():
            with _acquired(stage, of_child(path), patience):
                pass
        yield


def of_child(path: Path) -> Path:
    """Return the lock for a child process of the run that holds the lock `path`.

    Runs cannot overlap if the child acquires it, and begins only when its run, which still holds its own, says so.
    """
    return path.with_name(f"{path.name}.child")


def _acquired(stage: str, path: Path, patience: float) -> AbstractContextManager[object]:
    lock = FileLock(path, poll_interval=0.2)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        print(f"another run of {stage} has not finished yet; waiting for it", flush=True)
    try:
        return lock.acquire(timeout=patience)
    except Timeout:
        raise UserError(
            f"another run of {stage} is still in progress after {patience:.0f} s; wait for it, "
            f"or stop it (its process holds {path})"
        ) from None
