"""Networks trained side by side."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests import warm
from tests.conftest import Project

JOBS = (sys.executable, "-m", "src.jobs", "2")

pytestmark = pytest.mark.slow


@pytest.fixture
def three_folds(reproduced: Project) -> Project:
    reproduced.set({"folds": [0, 1, 2], "recipes.linear.epochs": 3})
    return reproduced


def test_networks_trained_two_at_a_time_are_those_trained_one_after_the_other(three_folds: Project) -> None:
    printed = three_folds.run(*JOBS)
    assert printed.startswith("training 3 networks, 2 at a time\n")
    assert sorted(line.split()[0] for line in printed.splitlines()[1:]) == [f"train@{fold}-0" for fold in range(3)]
    assert not [stage for stage in three_folds.repro("ensemble") if stage.startswith("train")]
    side_by_side = three_folds.run("cat", "dvc.lock")
    three_folds.run("dvc", "repro", "--force", "--no-run-cache", "--single-item", "train")
    assert three_folds.run("cat", "dvc.lock") == side_by_side
    assert three_folds.run(*JOBS) == ""


def test_one_that_fails_leaves_the_others_to_finish(three_folds: Project) -> None:
    script = three_folds.root / "stages/train.py"
    code = script.read_text()
    script.write_text(code.replace("    if launching", "    assert fold != 1\n    if launching"))
    printed = three_folds.run(*JOBS, fails=True)
    assert printed.splitlines()[-1] == (
        "error: not trained: train@1-0; the others are kept, and the next run trains these alone"
    )
    status = json.loads(three_folds.run("dvc", "status", "--json"))
    assert [stage for stage in status if stage.startswith("train")] == ["train@1-0"]


def test_ctrl_c_ends_all_and_keeps_what_had_finished(three_folds: Project) -> None:
    three_folds.set({"recipes.linear.epochs": 100})
    with subprocess.Popen(
        JOBS, cwd=three_folds.root, env=warm.cold(), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background may ignore it
    ) as run:  # fmt: skip
        assert run.stdout
        finished = next(line.split()[0] for line in run.stdout if line.startswith("train@"))
        os.killpg(run.pid, signal.SIGINT)
        printed = run.stdout.read()
        assert run.wait(60) == 1
    assert printed.splitlines()[-1] == "error: interrupted; the networks that had finished are kept"
    with pytest.raises(ProcessLookupError):
        os.killpg(run.pid, 0)
    *_, status = three_folds.run("dvc", "status", "--json").splitlines()  # DVC may warn of the locks of what was ended
    outdated = [stage for stage in json.loads(status) if stage.startswith("train@")]
    assert outdated and finished not in outdated
