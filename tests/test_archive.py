"""Zips that are what they say, and others."""

import io
import re
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.core.errors import UserError
from src.sources import archive

FILES = {"a.csv": b"the first,file\n" * 20, "b.csv": b"the second"}


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return packed.getvalue()


def unpacked(folder: Path) -> dict[str, bytes]:
    archive.unpack(folder, list(FILES))
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_zip_gives_its_files(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(zipped(FILES | {"more.txt": b"not asked for"}))
    assert unpacked(tmp_path) == FILES


def test_files_stay_as_they_are(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    assert unpacked(tmp_path) == FILES


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped(FILES | {"../outside": b""}), "a path in it leads outside the folder: '../outside'"),
        (zipped(FILES | {"/etc/outside": b""}), "a path in it leads outside the folder: '/etc/outside'"),
        (zipped(FILES | {"a/../../outside": b""}), "a path in it leads outside the folder"),
        (zipped({"a.csv": b""}), "expected one b.csv in it, found 0; it holds a.csv"),
        (zipped({f"folder/{name}": content for name, content in FILES.items()}), "it holds folder/a.csv"),
        (zipped({"inner.zip": zipped(FILES)}), "expected one a.csv in it, found 0; it holds inner.zip"),
        (zipped({}), "it holds nothing"),
        (zipped(FILES)[:-30], "not a valid zip file"),
        (b"<html>a page</html>", "not a valid zip file"),
        (b"", "not a valid zip file"),
    ],
)
def test_an_unsafe_or_invalid_zip_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "all.zip").write_bytes(content)
    with pytest.raises(UserError) as refused:
        archive.unpack(tmp_path / "inner", list(FILES))
    assert said in str(refused.value)
    assert str(refused.value).startswith("all.zip: ")
    assert [file.name for file in tmp_path.rglob("*")] == ["inner", "all.zip"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = bytearray(zipped(FILES))
    # the sizes in the directory at the end, which are the most that is read
    for size in (match.start() + 24 for match in re.finditer(b"PK\x01\x02", bomb)):
        bomb[size : size + 4] = (2**32 - 2).to_bytes(4, "little")
    (tmp_path / "all.zip").write_bytes(bomb)
    with pytest.raises(UserError, match=r"it unpacks to 8,589,934,588 bytes; the limit is 4,294,967,296"):
        archive.unpack(tmp_path, list(FILES))


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(0, 20), st.binary(max_size=20))
def test_a_damaged_zip_gives_its_files_or_is_refused(start: int, length: int, put: bytes) -> None:
    damaged = bytearray(zipped(FILES))
    damaged[start : start + length] = put
    with TemporaryDirectory() as folder:
        (Path(folder) / "all.zip").write_bytes(damaged)
        try:
            assert unpacked(Path(folder)) == FILES
        except UserError as error:
            assert "\n" not in str(error)
