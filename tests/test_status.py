"""Results that are older than the files around them, or that cannot be checked, are told wherever they are shown."""

import html
from collections.abc import Callable

import pytest

from tests.conftest import Project

REPORT = ("python", "-m", "src.reporting.report")


def edit_a_parameter(project: Project) -> None:
    project.set({"recipes.linear.lr": 0.2})


def edit_the_code(project: Project) -> None:
    with (project.root / "src/evaluation/scores.py").open("a") as code:
        code.write("# a comment\n")


def replace_the_data(project: Project) -> None:
    (project.root / "data/raw/train.csv").unlink()


def delete_a_metric(project: Project) -> None:
    (project.root / "metrics/train/4-0.json").unlink()


def fail_in_a_stage(project: Project) -> None:
    project.set({"recipes.linear.lr": 1e6, "recipes.linear.precision": "float32"})
    project.run("dvc", "repro", fails=True)


def check_out_another_commit(project: Project) -> None:
    project.set({"recipes.linear.epochs": 3})
    project.repro("train")
    project.commit()
    project.run("git", "checkout", "--quiet", "HEAD~1")


STATES: dict[Callable[[Project], None], str] = {
    edit_a_parameter: "train@4-0",
    edit_the_code: "evaluate",
    replace_the_data: "download@files",
    delete_a_metric: "train@4-0",
    fail_in_a_stage: "train@4-0",
    check_out_another_commit: "train@4-0",
}
"""What a person does, and a stage that is then named."""


@pytest.mark.slow
@pytest.mark.parametrize(("state", "stage"), STATES.items(), ids=[state.__name__ for state in STATES])
def test_every_place_names_what_is_not_up_to_date(
    state: Callable[[Project], None], stage: str, reproduced: Project
) -> None:
    state(reproduced)
    told = [line for line in reproduced.run(*REPORT).splitlines() if line.startswith("not up to date")]
    assert len(told) == 1 and stage in told[0]
    page = html.unescape((reproduced.root / "report.html").read_text(encoding="utf-8"))
    assert "Not up to date: <strong>" in page and stage in page.partition("Not up to date")[2][:300]
    for module in ("src.reporting.model_card", "src.demo.build"):
        refused = reproduced.run("python", "-m", module, fails=True)
        assert refused.startswith("error: ") and "not written" in refused and stage in refused
        assert len(refused.splitlines()) == 1
    assert "docs/model-card.md" not in reproduced.changed()
    assert not (reproduced.root / "demo.html").exists()


def test_an_unfinished_merge_is_one_line(project: Project) -> None:
    for path in (project.root / name for name in ("params.yaml", "dvc.lock", "metrics/evaluate.json")):
        text = path.read_text()
        path.write_text(f"<<<<<<< HEAD\n{text}")
        told = project.run("python", "-m", "src.check", fails=True)
        assert told.startswith(f"error: {path.relative_to(project.root)}, line 1: an unfinished merge")
        assert len(told.splitlines()) == 1
        path.write_text(text)


def test_a_run_that_did_not_start_prints_no_result(finished: Project, reproduced: Project) -> None:
    code = f"""
import subprocess, sys
from dvc.repo import Repo
with Repo(".").lock:
    for arguments in (["--after-repro", "1"], []):
        done = subprocess.run([*{REPORT!r}, *arguments], capture_output=True, text=True)
        print(done.returncode, "accuracy" in done.stdout, "not checked" in done.stdout, len(done.stderr.splitlines()))
"""
    printed = reproduced.run("python", "-c", code)
    assert printed.splitlines() == ["1 False False 1", "1 True True 1"]


@pytest.mark.slow
def test_a_local_file_that_is_replaced_is_noticed(reproduced: Project) -> None:
    files = reproduced.root.parent / "files"
    (reproduced.root / "data/raw").rename(files)
    reproduced.run("dvc", "checkout", "--quiet")
    for name in files.iterdir():
        name.chmod(0o644)
    reproduced.set({"source": "local", "sources.local.path": str(files)})
    assert "download@files" in reproduced.repro("split")
    assert reproduced.repro("split") == []
    reproduced.commit()
    train = (files / "train.csv").read_bytes()
    (files / "train.csv").unlink()
    (files / "train.csv").write_bytes(b"".join(train.splitlines(keepends=True)[:3001]))
    assert reproduced.repro("split") == ["download@files", "split"]
    assert '"images": 3000' in (reproduced.root / "metrics/download.json").read_text()
    (files / "train.csv").write_bytes(train)
    assert "split" not in reproduced.repro("split"), "the run-cache has it"
    assert '"images": 4000' in (reproduced.root / "metrics/download.json").read_text()
