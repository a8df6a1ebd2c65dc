"""Find the files of a competition in a zip or a folder, and unpack them."""

import errno
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from stat import S_ISLNK
from typing import IO, TypeAlias

from src.core.errors import UserError
from src.core.outputs import DISK_FULL
from src.core.progress import measured
from src.data.competition.files import SAMPLE_SUBMISSION

MAX_BYTES = 4 * 1024**3
"""The largest size, unpacked, of a file or of all files in a zip: above any such competition, below a zip bomb."""
BLOCK = 2**20
PACKED = (".gz", ".zip")
DAMAGE = (
    zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError,
    RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile and gzip raise for files that are no archive, or truncated, corrupted, encrypted or oddly compressed."""

HOW_TO_WRITE = (
    "; a sample submission lists the images to predict: write one with two columns, the id and the prediction (for "
    "Digit Recognizer a header ImageId,Label), and a row for each of test.csv (1,0 and so on)"
)
Opened: TypeAlias = Callable[[str], IO[bytes]]


class DamagedZipError(UserError):
    """The zip is truncated or corrupted, so that fetching it again may help."""


def unpack(place: Path, into: Path, names: Sequence[str]) -> None:
    """Unless the folder `into` holds the files `names`, put them there from `place`, a folder or a zip.

    A file is found at any depth, in upper or lower case, and where it is not there as it is, compressed: `NAME.gz` or
    `NAME.zip`. A folder may hold one zip with the files instead. Both places may be the same; then the zip is removed.

    Raises:
        DamagedZipError: an archive is damaged.
        UserError: a file is not there, or twice; or a zip unpacks to more than `MAX_BYTES` or names paths outside.
        OSError: the disk is full.
    """
    if {file.name for file in into.iterdir()} >= set(names):
        return
    if place.is_dir():
        files = {path.relative_to(place).as_posix(): path for path in sorted(place.rglob("*")) if path.is_file()}
        found = [_alike(files, name) for name in names]
        zips = [path for path in {*files}.difference(*found) if path.casefold().endswith(".zip")]
        if len(zips) == 1 and not all(found):
            place /= zips[0]
        else:
            sizes = {path: file.stat().st_size for path, file in files.items()}
            _copy(str(place), sizes, lambda path: files[path].open("rb"), names, into)
    if not place.is_dir():
        with _undamaged(place.name), zipfile.ZipFile(place) as archive:
            members = _members(place.name, archive)
            sizes = {path: member.file_size for path, member in members.items()}
            _copy(place.name, sizes, lambda path: archive.open(members[path]), names, into)
    if place.parent == into:
        place.unlink()


def _copy(place: str, sizes: Mapping[str, int], opened: Opened, names: Sequence[str], into: Path) -> None:
    for name, path in _chosen(place, sizes, names).items():
        what = f"{place}: {path}"
        with (
            _undamaged(what),
            opened(path) as packed,
            (into / name).open("wb") as file,
            measured(f"unpacking {name}", sizes[path], "B") as tell,
        ):
            content = _content(what, packed, name)
            while block := content.read(BLOCK):
                if file.tell() > MAX_BYTES:
                    raise UserError(f"{what}: refused, it unpacks to more than {MAX_BYTES:,} bytes")
                file.write(block)
                tell(packed.tell())


def _chosen(place: str, paths: Collection[str], names: Sequence[str]) -> dict[str, str]:
    """Return of each name the one path that leads to its file."""
    found = {name: _alike(paths, name) for name in names}
    for name, alike in found.items():
        if len(alike) > 1:
            raise UserError(f"{place}: there is more than one {name}: {', '.join(alike)}; keep one of them")
    if missing := [name for name, alike in found.items() if not alike]:
        held = [path for path in paths if ".csv" in path.casefold()] or [*paths]
        raise UserError(
            f"{place}: expected {', '.join(names)} in it, as they are or as {' or '.join(PACKED)}; there is no "
            f"{' and no '.join(missing)}; it holds {', '.join(held[:5]) or 'nothing'}"
            + (HOW_TO_WRITE if missing == [SAMPLE_SUBMISSION] else "")
        )
    return {name: path for name, [path] in found.items()}


def _alike(paths: Iterable[str], name: str) -> list[str]:
    """Return the paths to a file of that name, or else those to it compressed."""
    files = [path for path in map(PurePosixPath, paths) if "__MACOSX" not in path.parts]
    plain = [str(path) for path in files if path.name.casefold() == name]
    return plain or [str(path) for path in files if path.name.casefold() in {name + ending for ending in PACKED}]


def _content(what: str, packed: IO[bytes], name: str) -> IO[bytes] | gzip.GzipFile:
    """Return the content of the file `name`, which is as it is, or compressed."""
    if what.casefold().endswith(".gz"):
        return gzip.open(packed)
    if what.casefold().endswith(".zip"):
        archive = zipfile.ZipFile(packed)
        members = _members(what, archive)
        return archive.open(members[_chosen(what, members, [name])[name]])
    return packed


def _members(place: str, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files of a zip by their paths, without links."""
    members = {member.filename.replace("\\", "/"): member for member in archive.infolist()}
    for path in map(PurePosixPath, members):
        if path.is_absolute() or ".." in path.parts:
            raise UserError(f"{place}: refused, a path in it leads outside the folder: {str(path)!r}")
    if (size := sum(member.file_size for member in archive.infolist())) > MAX_BYTES:
        raise UserError(f"{place}: refused, it unpacks to {size:,} bytes; the limit is {MAX_BYTES:,}")
    links = {path for path, member in members.items() if S_ISLNK(member.external_attr >> 16)}
    return {path: members[path] for path in members if path not in links and not path.endswith("/")}


@contextmanager
def _undamaged(what: str) -> Iterator[None]:
    """Refuse what cannot be unpacked within this context; that the disk is full is no fault of it."""
    try:
        yield
    except DAMAGE as error:
        raise DamagedZipError(f"{what}: not a valid zip file ({error}); fetch it again") from None
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        # EINVAL is a seek to before the start of the file; no other error is due to the content of the zip
        kind = DamagedZipError if error.errno == errno.EINVAL else UserError
        raise kind(f"{what}: it cannot be unpacked: {error.strerror}") from None
