"""Killed at any moment, the next `dvc repro` ends right, with one submission counted."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from src.core.errors import UserError
from src.sources.locking import exclusive
from tests import warm
from tests.competitions import digits
from tests.conftest import Project
from tests.kaggle_client import SCORE
from tests.kaggle_server import Kaggle, serve
from tests.test_kaggle_runs import point_at


def kill_at(project: Project, kaggle: Kaggle, stage: str, request: str, fault: str, victim: str) -> bool:
    """Run one stage by `dvc repro`, kill `victim` (the stage or dvc) while a request hangs, and run it again.

    Returns:
        Whether the second run waited for what was left of the first; the request goes on when it does.
    """
    kaggle.reset()
    kaggle.faults[request] = [fault, None]
    with start(project, stage, subprocess.DEVNULL, warm.cold()) as first:
        kaggle.wait_for(request)
        if victim == "dvc":
            first.kill()
        else:
            for process in psutil.Process(first.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):  # some end by themselves, or with the one that was killed before
                    if f"stages.{stage}" in " ".join(process.cmdline()):
                        process.kill()
    waited = False
    with start(project, stage, subprocess.PIPE, warm.environment({})) as second:
        assert second.stdout
        for line in second.stdout:
            if "has not finished yet; waiting for it" in line:
                waited = True
                kaggle.released.set()
    assert second.returncode == 0
    return waited


def start(project: Project, stage: str, output: int, environment: dict[str, str]) -> "subprocess.Popen[str]":
    """Start `dvc repro` for one stage."""
    dvc = shutil.which("dvc", path=environment["PATH"])
    return subprocess.Popen(
        [str(dvc), "repro", "--single-item", stage],
        cwd=project.root, env=environment | project.environment, stdout=output, text=True,
    )  # fmt: skip


def set_afresh(project: Project, moment: int) -> None:
    """Change a dependency in a way that changes no result, so that DVC has nothing to restore."""
    file = project.root / "src/sources/kaggle/__init__.py"
    file.write_text(f"# {moment}\n")


@pytest.mark.slow
def test_killed_and_run_again(project: Project) -> None:
    with serve(digits()) as kaggle:
        point_at(project, kaggle)
        for moment, (request, victim) in enumerate(
            [("DownloadDataFiles", "stage"), ("file", "stage"), ("file", "dvc")]
        ):
            set_afresh(project, moment)
            assert kill_at(project, kaggle, "download", request, "hang", victim) == (victim == "dvc")
            assert {file.name: file.read_bytes() for file in (project.root / "data/raw").iterdir()} == dict(
                kaggle.competition.files
            )
            assert not (project.root / ".data-raw.tmp").exists()

        # in place of the stages between the two
        predictions = project.root / "data/predictions"
        predictions.mkdir()
        (predictions / "submission.csv").write_bytes(kaggle.competition.files["sample_submission.csv"])
        for moment, (request, fault, victim, waits) in enumerate(
            [
                ("ListSubmissions", "hang", "stage", False),
                # a submission on its way is seen through, even when its stage is dead
                ("upload", "hang", "stage", True),
                ("CreateSubmission", "hang", "stage", True),
                ("CreateSubmission", "late hang", "stage", True),
                ("ListSubmissions", "hang", "dvc", True),
                ("CreateSubmission", "late hang", "dvc", True),
            ],
            start=3,
        ):
            set_afresh(project, moment)
            assert kill_at(project, kaggle, "submit", request, fault, victim) == waits
            assert len(kaggle.submissions) == 1
            assert project.metrics("submit") == {"public_score": SCORE}


def test_a_second_run_says_why_not_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        exclusive("submit", Path("lock")),
        pytest.raises(UserError, match="another run of submit is still in progress"),
        exclusive("submit", Path("lock"), patience=0.5),
    ):
        pass
    with exclusive("submit", Path("lock"), patience=0.0):
        pass
