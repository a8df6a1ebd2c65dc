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


@pytest.mark.parametrize("name", ["digits.zip", "DIGITS.ZIP", "without-ending"])
def test_a_local_zip_is_taken_whatever_its_name(project: Project, name: str) -> None:
    with zipfile.ZipFile(project.root / name, "w") as archive:
        for file, content in digits().files.items():
            archive.writestr(file, content)
    project.set({"source": "local", "sources.local.path": name})
    project.run(*DOWNLOAD)
    raw = project.root / "data/raw"
    assert {file.name: file.read_bytes() for file in raw.iterdir()} == dict(digits().files)


def test_a_local_folder_without_a_file_leaves_nothing_behind(project: Project) -> None:
    write(project.root.parent / "files")
    (project.root.parent / "files" / "test.csv").unlink()
    project.set({"source": "local", "sources.local.path": "../files"})
    assert project.run(*DOWNLOAD, fails=True) == "error: ../files/test.csv: No such file or directory\n"
    assert not (project.root / "data/raw").exists()


@pytest.mark.parametrize(("path", "said"), [("", "give the path of a zip or folder"), ("not/here", "there is no")])
def test_a_local_path_that_leads_nowhere(tmp_path: Path, path: str, said: str) -> None:
    with pytest.raises(UserError, match=f"sources.local.path: {said}"):
        local.Source(path=path).download(tmp_path, FILES)
