"""The sources that need no account: nothing of Kaggle's, no network, no home folder."""

import zipfile
from pathlib import Path

import pytest

from src.core.errors import UserError
from src.data.competition import FILES
from src.sources.local import source as local
from tests.competitions import digits
from tests.conftest import Project, slow

DOWNLOAD = ("python", "-m", "stages.download", "data/raw", "metrics/download.json")
SUBMIT = ("python", "-m", "stages.submit", "data/raw/sample_submission.csv", "metrics/evaluate.json",
          "metrics/submit.json", "metrics/refusals.yaml", "0")  # fmt: skip
NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")


def write(folder: Path) -> None:
    folder.mkdir()
    for name, content in digits().files.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    "home", [("HOME=/nonexistent/home",), *slow((("-u", "HOME"),))], ids=["a missing HOME", "no HOME"]
)
@pytest.mark.parametrize("source", ["sample", "local"])
def test_sample_and_local_need_neither_home_nor_network_nor_kaggle(
    project: Project, source: str, home: tuple[str, ...]
) -> None:
    write(project.root.parent / "files")
    project.set({"source": source, "sources.local.path": "../files"})
    # a client that ends the run as soon as it is imported
    (project.root / "kaggle.py").write_text("raise SystemExit('kaggle was imported')\n")
    project.environment = NO_NETWORK | {"KAGGLE_USERNAME": "", "KAGGLE_KEY": ""}
    project.run("env", *home, *DOWNLOAD)
    assert len(list((project.root / "data/raw").iterdir())) == 3
    output = project.run("env", *home, *SUBMIT)
    assert ("upload data/raw/sample_submission.csv" in output) == (source == "local")


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in digits().files.items():
            archive.writestr(file, content)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("DIGITS.ZIP", "DIGITS.ZIP"),
        ("without-ending", "without-ending"),
        ("data/by-hand/digits.zip", "data/by-hand"),
    ],
)
def test_a_local_zip_is_taken_whatever_its_name(project: Project, name: str, path: str) -> None:
    write_zip(project.root / name)
    project.set({"source": "local", "sources.local.path": path})
    project.run(*DOWNLOAD)
    raw = project.root / "data/raw"
    assert {file.name: file.read_bytes() for file in raw.iterdir()} == dict(digits().files)


def test_a_local_folder_without_a_file_leaves_nothing_behind(project: Project) -> None:
    write(project.root.parent / "files")
    (project.root.parent / "files" / "test.csv").unlink()
    project.set({"source": "local", "sources.local.path": "../files"})
    assert project.run(*DOWNLOAD, fails=True).endswith("in ../files; it holds sample_submission.csv, train.csv\n")
    assert not (project.root / "data/raw").exists()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("not/here", "there is no not/here"),
        ("empty", "expected train.csv, .* or one zip with them, in empty; it holds no CSV file and no zip"),
        ("two", "expected train.csv, .* in two; it holds a.zip, b.zip"),
    ],
)
def test_a_local_path_without_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "two"):
        (tmp_path / name).mkdir()
    for name in ("a.zip", "b.zip"):
        write_zip(tmp_path / "two" / name)
    with pytest.raises(UserError, match=f"sources.local.path: {said}"):
        local.Source(path=path).download(tmp_path, FILES)


@pytest.mark.slow
def test_local_files_that_were_replaced_are_read_again(project: Project) -> None:
    files = project.root.parent / "files"
    write(files)
    project.set({"source": "local", "sources.local.path": "../files"})
    assert project.repro("download") == ["download"]
    rows = (files / "train.csv").read_text().splitlines(keepends=True)
    (files / "train.csv").write_text("".join(rows[:-1]))
    assert project.repro("download") == ["download"]
    assert project.metrics("download")["images"] == len(rows) - 2
