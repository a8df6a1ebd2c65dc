"""Write an output completely or not at all."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(output: Path) -> Iterator[Path]:
    """Yield a temporary path to write a file or a folder to; on success it takes the place of `output`.

    The temporary path is in the folder above the output's own, or in the project itself, on the same disk: the output's
    own folder may be a dependency of another stage, whose hash a leftover would change. An exception leaves `output` as
    it was. An error that says that the disk is full names `output`.
    """
    folder = output.absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    above = folder if folder == Path.cwd() else folder.parent  # what is above the project may be another disk
    temporary = above / f".{folder.name}-{output.name}.tmp"
    _remove(temporary)
    try:
        with naming_full_disk(output, temporary):
            yield temporary
            if temporary.is_dir():
                _remove(output)
            temporary.replace(output)
    finally:
        _remove(temporary)


@contextmanager
def naming_full_disk(output: Path, written: Path) -> Iterator[None]:
    """Within this context an error that says that the disk is full names `output` if it names `written` or no file."""
    try:
        yield
    except OSError as error:
        # copying a file names its source first
        named = str(error.filename2 or error.filename or written)
        if error.errno in DISK_FULL and named.startswith(str(written)):
            raise OSError(error.errno, error.strerror, str(output)) from None
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
