"""Unpack the zip in which a competition's files may come."""

import errno
import lzma
import shutil
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from src.core.errors import UserError
from src.core.outputs import DISK_FULL

MAX_BYTES = 4 * 1024**3
"""The largest total size of a zip's files, unpacked: far above any competition of this kind, below a zip bomb."""

DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError, RuntimeError,
    ValueError,
)  # fmt: skip
"""What zipfile raises for files that are not zips, or are truncated, corrupted, encrypted or oddly compressed."""


class DamagedZipError(UserError):
    """The zip is truncated or corrupted, so that fetching it again may help."""


def unpack(folder: Path, names: Sequence[str]) -> None:
    """Unless `folder` holds the files `names`, put them there from the one zip that it holds instead.

    Raises:
        DamagedZipError: the zip is damaged.
        UserError: one of them is not in the zip, or it unpacks to more than `MAX_BYTES` or names paths outside itself.
        OSError: the disk is full.
    """
    content = list(folder.iterdir())
    if {file.name for file in content} >= set(names):
        return
    zip_file = content[0]
    try:
        with zipfile.ZipFile(zip_file) as archive:
            _check(zip_file.name, archive, names)
            for name in names:
                with archive.open(name) as packed, (folder / name).open("wb") as file:
                    shutil.copyfileobj(packed, file)
    except DAMAGE as error:
        raise DamagedZipError(f"{zip_file.name}: not a valid zip file ({error}); fetch it again") from None
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        # EINVAL is a seek to before the start of the file; no other error is due to the content of the zip
        if error.errno != errno.EINVAL:
            raise UserError(f"{zip_file.name}: it cannot be unpacked: {error.strerror}") from None
        raise DamagedZipError(f"{zip_file.name}: not a valid zip file; fetch it again") from None
    zip_file.unlink()


def _check(zip_name: str, archive: zipfile.ZipFile, names: Sequence[str]) -> None:
    members = archive.infolist()
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise UserError(f"{zip_name}: refused, a path in it leads outside the folder: {member.filename!r}")
    present = [member.filename for member in members]
    for name in names:
        if (count := present.count(name)) != 1:
            held = ", ".join(present[:5]) or "nothing"
            raise UserError(f"{zip_name}: expected one {name} in it, found {count}; it holds {held}")
    if (size := sum(member.file_size for member in members)) > MAX_BYTES:
        raise UserError(f"{zip_name}: refused, it unpacks to {size:,} bytes; the limit is {MAX_BYTES:,}")
