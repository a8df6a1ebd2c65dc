"""A stage that ends in the middle, on a disk that fills or killed: nothing half-written, and the next run goes on."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.test_dependencies import Declared

STAGES = {
    "download@files": "data/raw",
    "split": "data/split",
    "normalize": "data/normalized/labelled",
    "train@4-0": "plots/curves/accuracy/4-0.csv",
    "ensemble": "models",
    "predict": "data/predictions/out_of_fold.npy",
    "evaluate": "data/predictions/validation.csv",
    "draw": "plots/pictures",
}
"""Each stage and the output that finds no room. What is left is as it was, so the next run begins as this one did."""

ROOM = 4096  # bytes that are left: less than any stage writes


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of an empty disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"only who may mount a disk can have a small one: {mount.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def files(folder: Path) -> set[str]:
    """Return the files in a folder, but for the locks, which stay."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and ".lock" not in path.name}


@pytest.mark.parametrize(
    "name", [*list(STAGES)[:3], *(pytest.param(name, marks=pytest.mark.slow) for name in list(STAGES)[3:])]
)
def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(name: str, finished: Project, small_disk: Path) -> None:
    """The project is all that is on the disk, so that no stage can write elsewhere first."""
    stage = Declared(finished, finished.stages(), name)
    isolated = stage.copy_to(small_disk, stage.keys)
    filling = small_disk / "filling"
    filling.touch()
    before = files(isolated.root)
    filling.write_bytes(bytes(shutil.disk_usage(small_disk).free - ROOM))
    printed = isolated.run(*stage.command.split(), fails=True)
    assert printed.splitlines()[-1] == f"error: {STAGES[name]}: No space left on device; make room and run again"
    assert "Traceback" not in printed
    assert files(isolated.root) == before


KILLS = """
import itertools, os, signal

replace, calls = os.replace, itertools.count(1)


def killed(source, target):
    if os.path.abspath(target).startswith(os.getcwd()) and next(calls) == int(os.environ["KILLED_AT"]):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)


os.replace = killed
"""
"""Python runs this at its start: it kills itself before an output that is written takes its place."""


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in STAGES if name != "train@4-0"])  # test_live_curves kills that
def test_a_stage_that_is_killed_leaves_whole_outputs_only(name: str, finished: Project, tmp_path: Path) -> None:
    stages = finished.stages()
    stage = Declared(finished, stages, name)
    isolated = stage.copy_to(tmp_path / "project", stage.keys)
    outputs = [out.def_path for out in stages[name].outs]
    whole = {output: content(finished.root / output) for output in outputs}
    (tmp_path / "kills").mkdir()
    (tmp_path / "kills/sitecustomize.py").write_text(KILLS)
    command = [sys.executable, *stage.command.split()[1:]]
    for moment in (1, 2):  # before there is any output, and, where there are several, between two of them
        killing = {"PYTHONPATH": str(tmp_path / "kills"), "KILLED_AT": str(moment)}
        done = subprocess.run(command, cwd=isolated.root, env=os.environ | isolated.environment | killing)
        assert done.returncode == -signal.SIGKILL or moment == 2
        found = {output: content(isolated.root / output) for output in outputs if (isolated.root / output).exists()}
        assert found.items() <= whole.items()
        for output in outputs:  # as DVC does before it runs a stage
            shutil.rmtree(isolated.root / output, ignore_errors=True)
            (isolated.root / output).unlink(missing_ok=True)
    isolated.run(*command)
    assert {output: content(isolated.root / output) for output in outputs} == whole
    assert not [path for path in files(isolated.root) if path.endswith(".tmp")]


def content(output: Path) -> dict[str, bytes]:
    """Return the content of each file of an output, by its path in it."""
    files = [output] if output.is_file() else output.rglob("*")
    return {str(path.relative_to(output)): path.read_bytes() for path in files if path.is_file()}
