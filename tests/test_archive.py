"""Zips that are what they say, and others."""

import gzip
import io
import re
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.core.errors import UserError
from src.data.competition import files as competition
from src.sources import archive

FILES = {"a.csv": b"the first,file\n" * 20, "b.csv": b"the second"}


def zipped(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return packed.getvalue()


def placed(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files to a new folder."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def unpacked(place: Path, into: Path | None = None) -> dict[str, bytes]:
    into = into or place
    into.mkdir(exist_ok=True)
    archive.unpack(place, into, list(FILES))
    return {file.name: file.read_bytes() for file in into.iterdir()}


FIRST, SECOND = FILES.values()
BESIDE = {"more.txt": b"not asked for", "b.csv.old": b"neither"}
WAYS: dict[str, dict[str, bytes]] = {
    "as they are": FILES,
    "in a folder, by macOS": {
        f"{top}digits/{mark}{name}": content if not top else b"resources"
        for name, content in FILES.items()
        for top, mark in (("", ""), ("__MACOSX/", "._"))
    },
    "of the same names, by macOS": FILES | {f"__MACOSX/{name}": b"resources" for name in FILES},
    "in a folder, by old Windows": {f"digits\\{name}": content for name, content in FILES.items()},
    "in capitals": {name.upper(): content for name, content in FILES.items()},
    "each in a zip": {f"{name}.zip": zipped({name: content}) for name, content in FILES.items()},
    "one in a zip with a folder": {"deep/a.csv.ZIP": zipped({"a/A.csv": FIRST}), "b.csv": SECOND},
    "one in gzip": {"a.csv.gz": gzip.compress(FIRST), "b/b.csv": SECOND},
    "compressed and not": FILES | {"a.csv.zip": b"no zip", "packed/a.csv.gz": b"not gzip"},
}


@pytest.mark.parametrize("files", WAYS.values(), ids=WAYS)
def test_the_files_are_found_in_a_zip_and_in_a_folder(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert unpacked(placed(tmp_path / "zip", {"all.zip": zipped(files | BESIDE)})) == FILES
    if any("\\" in name for name in files):
        return
    folder = placed(tmp_path / "folder", files | BESIDE)
    assert unpacked(folder, tmp_path / "into") == FILES
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {*files, *BESIDE}


def test_a_folder_may_hold_one_zip_and_one_of_its_files_unpacked(tmp_path: Path) -> None:
    folder = placed(tmp_path / "folder", {"a.csv": b"half", "deep/all.ZIP": zipped(FILES)})
    assert unpacked(folder, tmp_path / "into") == FILES


def test_files_stay_as_they_are(tmp_path: Path) -> None:
    assert unpacked(placed(tmp_path / "files", FILES)) == FILES


def with_link() -> bytes:
    link = zipfile.ZipInfo("a.csv")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    packed = io.BytesIO(zipped({"b.csv": SECOND}))
    with zipfile.ZipFile(packed, "a") as file:
        file.writestr(link, "/etc/passwd")
    return packed.getvalue()


LOOKED_FOR = "expected a.csv, b.csv in it, as they are or as .gz or .zip; there is no"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped(FILES | {"../outside": b""}), "a path in it leads outside the folder: '../outside'"),
        (zipped(FILES | {"/etc/outside": b""}), "a path in it leads outside the folder: '/etc/outside'"),
        (zipped(FILES | {"a/../../outside": b""}), "a path in it leads outside the folder"),
        (zipped(FILES | {"a\\..\\..\\outside": b""}), "a path in it leads outside the folder"),
        (zipped({"a.csv": b""}), f"{LOOKED_FOR} b.csv; it holds a.csv"),
        (zipped({"inner.zip": zipped(FILES)}), f"{LOOKED_FOR} a.csv and no b.csv; it holds inner.zip"),
        (zipped({"x.txt": b"", "a_train.csv": b"", "b.CSV": b""}), f"{LOOKED_FOR} a.csv; it holds a_train.csv, b.CSV"),
        (zipped({}), "it holds nothing"),
        (with_link(), f"{LOOKED_FOR} a.csv; it holds b.csv"),
        (zipped(FILES | {"two/A.csv": b""}), "there is more than one a.csv: a.csv, two/A.csv; keep one of them"),
        (zipped({"a.csv.gz": b"", "x/a.csv.zip": b""}), "more than one a.csv: a.csv.gz, x/a.csv.zip; keep one"),
        (zipped(FILES)[:-30], "not a valid zip file"),
        (b"<html>a page</html>", "not a valid zip file"),
        (b"", "not a valid zip file"),
        (zipped({"a.csv.zip": b"<html>", "b.csv": b""}), "a.csv.zip: not a valid zip file"),
        (zipped({"a.csv.gz": b"<html>", "b.csv": b""}), "a.csv.gz: not a valid zip file (Not a gzipped file"),
        (zipped({"a.csv.gz": gzip.compress(FIRST)[:-9], "b.csv": b""}), "a.csv.gz: not a valid zip file"),
        (zipped({"a.csv.zip": zipped({"../a.csv": b""}), "b.csv": b""}), "a path in it leads outside the folder"),
        (zipped({"a.csv.zip": zipped({"c.csv": b""}), "b.csv": b""}), "a.csv.zip: expected a.csv in it"),
    ],
)
def test_an_unsafe_or_invalid_zip_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    inner = placed(tmp_path / "inner", {"all.zip": content})
    with pytest.raises(UserError) as refused:
        archive.unpack(inner, inner, list(FILES))
    assert said in str(refused.value)
    assert str(refused.value).startswith("all.zip: ")
    assert {file.name for file in tmp_path.rglob("*")} <= {"inner", "all.zip", *FILES}


def test_what_a_sample_submission_is_is_told_where_it_alone_is_missing(tmp_path: Path) -> None:
    folder = placed(tmp_path / "folder", {"all.zip": zipped({"train.csv": b"", "test.csv": b""})})
    with pytest.raises(UserError) as refused:
        archive.unpack(folder, folder, competition.FILES)
    assert str(refused.value) == (
        "all.zip: expected train.csv, test.csv, sample_submission.csv in it, as they are or as .gz or .zip; there is "
        "no sample_submission.csv; it holds train.csv, test.csv; a sample submission lists the images to predict: "
        "write one with two columns, the id and the prediction (for Digit Recognizer a header ImageId,Label), and a "
        "row for each of test.csv (1,0 and so on)"
    )


def with_sizes(packed: bytes, size: int) -> bytes:
    """Change the sizes in the directory at the end of a zip, which are the most that is read."""
    changed = bytearray(packed)
    for start in (match.start() + 24 for match in re.finditer(b"PK\x01\x02", changed)):
        changed[start : start + 4] = size.to_bytes(4, "little")
    return bytes(changed)


@pytest.mark.parametrize("nested", [False, True])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, nested: bool) -> None:
    bomb = with_sizes(zipped(FILES), 2**32 - 2)
    content = zipped({"a.csv.zip": bomb, "b.csv": SECOND}) if nested else bomb
    folder = placed(tmp_path / "folder", {"all.zip": content})
    with pytest.raises(UserError, match=r"it unpacks to 8,589,934,588 bytes; the limit is 4,294,967,296"):
        archive.unpack(folder, folder, list(FILES))


def test_a_gzip_bomb_is_refused_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 2 * archive.BLOCK)
    bomb = gzip.compress(bytes(4 * archive.BLOCK))
    folder = placed(tmp_path / "folder", {"all.zip": zipped({"a.csv.gz": bomb, "b.csv": SECOND})})
    with pytest.raises(UserError, match=r"^all.zip: a.csv.gz: refused, it unpacks to more than 2,097,152 bytes"):
        archive.unpack(folder, folder, list(FILES))
    assert (folder / "a.csv").stat().st_size <= 3 * archive.BLOCK


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
