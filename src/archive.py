"""Open the zip in which a competition's files may come."""

import shutil
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from src.errors import UserError

MAX_BYTES = 4 * 1024**3
"""The most that the files of a zip may come to, unpacked: a competition of this shape is far below, a bomb above."""


def unpack(folder: Path, names: Sequence[str]) -> None:
    """If all that `folder` holds is a zip, put the files `names` from it in its place.

    Raises:
        UserError: one of them is not in the zip, or the zip is damaged, unpacks to more than `MAX_BYTES` or names
            paths outside itself.
    """
    content = list(folder.iterdir())
    if len(content) != 1 or content[0].suffix.lower() != ".zip":
        return
    zip_file = content[0]
    try:
        with zipfile.ZipFile(zip_file) as archive:
            _check(zip_file.name, archive, names)
            for name in names:
                with archive.open(name) as packed, (folder / name).open("wb") as file:
                    shutil.copyfileobj(packed, file)
    # what zipfile raises for bytes that are no zip, are cut or changed, are compressed in an unknown way or encrypted
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{zip_file.name}: not a sound zip file ({error}); fetch it again") from None
    zip_file.unlink()


def _check(zip_name: str, archive: zipfile.ZipFile, names: Sequence[str]) -> None:
    members = archive.infolist()
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise UserError(f"{zip_name}: refused, it names a path outside itself: {member.filename!r}")
    present = [member.filename for member in members]
    for name in names:
        if (count := present.count(name)) != 1:
            held = ", ".join(present[:5]) or "nothing"
            raise UserError(f"{zip_name}: expected one {name} in it, found {count}; it holds {held}")
    if (size := sum(member.file_size for member in members)) > MAX_BYTES:
        raise UserError(f"{zip_name}: refused, it unpacks to {size:,} bytes; the limit is {MAX_BYTES:,}")
