"""A stage that ends in the middle, on a disk that fills or killed: nothing half-written, and the next run goes on."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.test_dependencies import Declared

STAGES = {
    "download": "data/raw",
    "split": "data/split",
    "normalize": "data/normalized/labelled",
    "train@4-0": "plots/curves/accuracy/4-0.csv",
    "ensemble": "models",
    "predict": "data/predictions/out_of_fold.npy",
    "evaluate": "data/predictions/validation.csv",
    "draw": "plots/pictures",
}
"""Each stage and the output that finds no room."""

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
    filling.unlink()
    isolated.run(*stage.command.split())
    assert (isolated.root / STAGES[name]).exists()


def results(project: Project) -> dict[Path, bytes]:
    """Return the content of all files but temporary ones."""
    found = (path for path in project.root.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in found if not any(part.endswith(".tmp") for part in path.parts)}


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_a_stage_that_is_killed_leaves_whole_outputs_only(name: str, finished: Project, tmp_path: Path) -> None:
    stage = Declared(finished, finished.stages(), name)
    isolated = stage.copy_to(tmp_path / "project", stage.keys)
    given = {*results(isolated)}
    began = time.monotonic()
    isolated.run(*stage.command.split())
    seconds = time.monotonic() - began
    whole = results(isolated)
    for share in (0.6, 0.8, 0.95):  # before that it only imports libraries
        for path in {*results(isolated)} - given:
            path.unlink()  # as DVC does before it runs a stage
        command = [sys.executable, *stage.command.split()[1:]]
        with subprocess.Popen(command, cwd=isolated.root, env=os.environ | isolated.environment) as run:
            time.sleep(share * seconds)
            run.kill()
        for path, content in results(isolated).items():
            assert content == whole[path] or "curves" in path.parts, path  # a curve is written as it grows
    isolated.run(*stage.command.split())
    assert results(isolated) == whole
