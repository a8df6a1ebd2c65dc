"""A disk that fills in the middle of a stage: one line with the path, nothing half-written, the next run goes on."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.test_dependencies import Declared

STAGES = {
    "download": "data/raw",
    "split": "data/split",
    "normalize": "data/normalized",
    "train@0": "plots/curves/accuracy/0.csv",
    "evaluate": "data/predictions/validation.csv",
    "predict": "data/predictions/submission.csv",
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
    stage = Declared(finished, finished.stages(), name)
    isolated = stage.copy_to(small_disk / "project", stage.keys)
    before = files(isolated.root)
    with (small_disk / "filling").open("wb") as filling:
        filling.write(bytes(shutil.disk_usage(small_disk).free - ROOM))
    printed = isolated.run(*stage.command.split(), fails=True)
    assert printed.splitlines()[-1] == f"error: {STAGES[name]}: No space left on device; make room and run again"
    assert "Traceback" not in printed
    assert files(isolated.root) == before
    (small_disk / "filling").unlink()
    isolated.run(*stage.command.split())
    assert (isolated.root / STAGES[name]).exists()
