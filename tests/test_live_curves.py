"""Learning curves that can be watched while they grow."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from src.training import learning_curves
from src.training.learning_curves import MAX_POINTS, CurvePoint
from tests import warm
from tests.conftest import Project

LOSS = "plots/curves/loss/4-0.csv"


def wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
def test_a_curve_grows_while_its_stage_trains_and_is_no_result_when_that_is_killed(reproduced: Project) -> None:
    loss = reproduced.root / LOSS

    def points() -> int:
        return len(loss.read_text().splitlines()) - 1 if loss.exists() else 0

    reproduced.set({"recipes.linear.epochs": 1000})
    assert points() == MAX_POINTS  # those of the run before, which DVC deletes
    command = [sys.executable, "-m", "dvc", "repro", "train@4-0"]
    with subprocess.Popen(command, cwd=reproduced.root, env=warm.cold(), start_new_session=True) as run:
        wait_until(lambda: 2 <= points() < MAX_POINTS)
        os.killpg(run.pid, signal.SIGSTOP)
        seen = points()
        assert '"train"' in reproduced.run("dvc", "plots", "show", "--json", LOSS)
        os.killpg(run.pid, signal.SIGCONT)
        wait_until(lambda: points() > seen)
        os.killpg(run.pid, signal.SIGKILL)
    assert points() < MAX_POINTS
    assert not (reproduced.root / "checkpoints" / "4-0.safetensors").exists()
    status = reproduced.run("dvc", "status", "train@4-0")
    assert "train@4-0:" in status and "checkpoints/4-0.safetensors" in status
    reproduced.set({"recipes.linear.epochs": 50})
    assert reproduced.repro("train@4-0") == ["train@4-0"]
    assert points() == MAX_POINTS
    assert "up to date" in reproduced.run("dvc", "status", "train@4-0")


def test_a_point_is_on_disk_at_once_and_an_exception_removes_all(tmp_path: Path) -> None:
    loss, accuracy = tmp_path / "a" / "loss.csv", tmp_path / "b" / "accuracy.csv"
    with learning_curves.written(loss, accuracy) as add:
        assert loss.read_text() == accuracy.read_text() == "epoch,train,validation\n"
        add(CurvePoint(1, 0.5, 0.25, 2.0000004, 1.0))
        assert loss.read_text() == "epoch,train,validation\n1,0.500000,2.000000\n"
        assert accuracy.read_text() == "epoch,train,validation\n1,0.250000,1.000000\n"
    with pytest.raises(RuntimeError), learning_curves.written(loss, accuracy):
        raise RuntimeError
    assert not loss.exists() and not accuracy.exists()


def test_two_processes_do_not_mix_their_curves(tmp_path: Path) -> None:
    """One of a `dvc` that was killed lives on beside that of the next run."""
    files = tmp_path / "loss.csv", tmp_path / "accuracy.csv"
    with learning_curves.written(*files) as add_old:
        with learning_curves.written(*files) as add:
            add_old(CurvePoint(7, 0.7, 0.7, 0.7, 0.7))
            add(CurvePoint(1, 0.1, 0.1, 0.1, 0.1))
        add_old(CurvePoint(8, 0.8, 0.8, 0.8, 0.8))
    assert files[0].read_text().splitlines()[1:] == ["1,0.100000,0.100000"]
