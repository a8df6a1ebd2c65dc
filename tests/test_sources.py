"""The sources that need no account: nothing of Kaggle's, no network, no home folder."""

import zipfile
from pathlib import Path

import pytest

from src.core.errors import UserError
from src.data.competition import files as competition
from src.sources.sample.source import Source
from tests.competitions import digits
from tests.conftest import Project, slow, stages_run

DOWNLOAD = ("python", "-m", "stages.download", "data/raw", "metrics/download.json")
SUBMIT = ("python", "-m", "stages.submit", "data/raw/sample_submission.csv", "metrics/evaluate.json",
          "metrics/submit.json", "metrics/refusals.yaml", "metrics/submissions.csv", "0")  # fmt: skip
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
    folder = (project.root / "../files").absolute()
    assert project.run(*DOWNLOAD, fails=True) == (
        f"error: {folder}: expected train.csv, test.csv, sample_submission.csv in it, as they are or as .gz or .zip; "
        "there is no test.csv; it holds sample_submission.csv, train.csv\n"
    )
    assert not (project.root / "data/raw").exists()


def test_a_local_folder_of_other_names_is_told_what_is_looked_for_and_what_is_there(project: Project) -> None:
    folder = project.root.parent / "files"
    (folder / "deep").mkdir(parents=True)
    for name in ("sign_mnist_train.csv", "deep/sign_mnist_test.csv", "readme.txt"):
        (folder / name).touch()
    project.set({"source": "local", "sources.local.path": str(folder)})
    output = project.run(*DOWNLOAD, fails=True)
    assert "there is no train.csv and no test.csv and no sample_submission.csv" in output
    assert output.endswith("; it holds deep/sign_mnist_test.csv, sign_mnist_train.csv\n")


def test_a_local_path_that_does_not_exist_is_told(project: Project) -> None:
    project.set({"source": "local", "sources.local.path": "not/here"})
    said = "error: params.yaml: sources.local.path: there is no not/here\n"
    assert project.run(*DOWNLOAD, fails=True) == said


def test_the_label_that_the_settings_name_lies_beside_the_files(project: Project) -> None:
    write(project.root.parent / "files")
    project.set({"source": "local", "sources.local.path": "../files", "sources.local.label": "label"})
    project.run(*DOWNLOAD)
    assert (project.root / "data/raw/label.txt").read_text() == "label"
    project.set({"sources.local.label": "kind"})
    assert "train.csv: there is no column 'kind', the label" in project.run(*DOWNLOAD, fails=True)


@pytest.mark.parametrize("source", ["sample", "local", "kaggle"])
def test_only_local_files_are_a_dependency_and_only_of_their_source(source: str, project: Project) -> None:
    project.set({"source": source, "sources.local.path": "../files"})
    paths = {dep.def_path for dep in project.stages()["download@files"].deps}
    assert ("../files" in paths) == (source == "local")


def test_files_by_hand_change_nothing_of_another_source(reproduced: Project) -> None:
    write_zip(reproduced.root / "data/by-hand/digit-recognizer (1).zip")
    (reproduced.root / "data/by-hand/train.csv").write_text("a table")
    assert reproduced.repro() == []
    assert reproduced.changed() == ""
    reproduced.set({"sources.local.path": "not/here"})
    reproduced.run("python", "-m", "src.check")
    assert reproduced.repro() == []


@pytest.mark.slow
def test_files_by_hand_leave_an_earlier_experiment_up_to_date(reproduced: Project) -> None:
    reproduced.run("dvc", "exp", "run", "--name", "earlier", "-S", "recipes.linear.epochs=2")
    reproduced.run("git", "checkout", ".")
    write_zip(reproduced.root / "data/by-hand/digits.zip")
    reproduced.run("dvc", "exp", "apply", "earlier")
    assert "not up to date" not in reproduced.run("python", "-m", "src.reporting.report")


@pytest.mark.slow
def test_files_by_hand_are_read_where_they_are_chosen_and_again_when_they_are_replaced(reproduced: Project) -> None:
    packed = reproduced.root / "data/by-hand/digits.zip"
    write_zip(packed)
    chosen = ("dvc", "exp", "run", "-S", "source=local", "download")
    assert stages_run(reproduced.run(*chosen)) == ["download@files"]
    assert stages_run(reproduced.run(*chosen)) == []
    rows = digits().files["train.csv"].splitlines(keepends=True)
    with zipfile.ZipFile(packed, "w") as archive:
        for file, content in (dict(digits().files) | {"train.csv": b"".join(rows[:-1])}).items():
            archive.writestr(file, content)
    assert stages_run(reproduced.run(*chosen)) == ["download@files"]
    assert reproduced.metrics("download")["images"] == len(rows) - 2
    assert stages_run(reproduced.run(*chosen, "-S", f"sources.local.path={packed}")) == ["download@files"]


@pytest.mark.slow
def test_local_files_that_were_replaced_are_read_again(project: Project) -> None:
    files = project.root.parent / "files"
    write(files)
    project.set({"source": "local", "sources.local.path": "../files"})
    assert project.repro("download") == ["download@files"]
    rows = (files / "train.csv").read_text().splitlines(keepends=True)
    (files / "train.csv").write_text("".join(rows[:-1]))
    assert project.repro("download") == ["download@files"]
    assert project.metrics("download")["images"] == len(rows) - 2


def test_the_sample_scores_a_submission_against_the_labels_that_it_keeps(tmp_path: Path) -> None:
    source, other = (Source(test_digits=count, seed=3) for count in (50, 4000))
    source.download(tmp_path, competition.FILES)
    (tmp_path / "other").mkdir()
    other.download(tmp_path / "other", competition.FILES)
    # what is to be predicted here is labelled there, in the same order
    labels = [row.split(",")[0] for row in (tmp_path / "train.csv").read_text().splitlines()[1:]]
    wanted = labels[-3950:]
    submission = tmp_path / "submission.csv"
    rows = [f"{number},{label}" for number, label in enumerate([*wanted, *["x"] * 50], start=1)]
    submission.write_text("\n".join(["ImageId,Label", *rows, ""]))
    assert other.submit(submission, "a message") == 3950 / 4000
    for wrong in (rows[:-1], [*rows, "4001,5"], rows[::-1], [f"{row},1" for row in rows], ["", *rows]):
        submission.write_text("\n".join(["ImageId,Label", *wrong, ""]))
        with pytest.raises(UserError, match=r"expected the columns ImageId and Label and the ids 1 to 4000 in order"):
            other.submit(submission, "a message")
    for header in ("", "id,label\n"):
        submission.write_text(header + "\n".join(rows) * bool(header))
        with pytest.raises(UserError, match="expected the columns"):
            other.submit(submission, "a message")
