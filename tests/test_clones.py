"""Several runs at once: in clones that share a cache, and by DVC's queue."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.test_live_curves import wait_until
from tests.test_remotes import clone_of


@pytest.mark.slow
def test_what_two_clones_train_the_head_restores(reproduced: Project, tmp_path: Path) -> None:
    (reproduced.root / ".dvc" / "cache").rename(tmp_path / "cache")
    reproduced.run("dvc", "cache", "dir", str(tmp_path / "cache"))
    reproduced.set({"seeds": [0, 1], "recipes.linear.epochs": 3})
    reproduced.commit()

    def work(seed: int) -> list[str]:
        clone = clone_of(reproduced, tmp_path / str(seed))
        clone.run("dvc", "checkout", "normalize")
        return clone.repro("--single-item", f"train@{seed}")

    with ThreadPoolExecutor() as workers:
        assert [*workers.map(work, [0, 1])] == [["train@0"], ["train@1"]]
    assert set(reproduced.repro()) == {"ensemble", "evaluate", "predict", "submit", "draw"}
    for seed in (0, 1):
        for name in (f"models/{seed}.safetensors", f"metrics/train/{seed}.json"):
            assert (reproduced.root / name).read_bytes() == (tmp_path / str(seed) / name).read_bytes()


@pytest.mark.slow
def test_two_queued_experiments_run_at_once_on_the_files_of_the_project(reproduced: Project) -> None:
    shutil.copytree(reproduced.root / "data" / "raw", reproduced.root / "files")
    with (reproduced.root / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.write("/files/\n")  # a queued run has a copy of what git tracks
    source = ["-S", "source=local", "-S", "sources.local.path=files"]
    for epochs in (3, 4):
        changes = [*source, "-S", f"recipes.linear.epochs={epochs}"]
        reproduced.run("dvc", "exp", "run", "--queue", "--name", f"epochs-{epochs}", *changes)
    reproduced.run("dvc", "queue", "start", "--jobs", "2")
    wait_until(lambda: "Queued" not in (status := reproduced.run("dvc", "queue", "status")) and "Running" not in status)
    assert reproduced.run("dvc", "queue", "status").count("Success") == 2
    for epochs in (3, 4):
        shown = reproduced.run("dvc", "metrics", "diff", "--json", "main", f"epochs-{epochs}")
        accuracy = json.loads(shown.splitlines()[-1])["metrics/train/0.json"]["train_accuracy"]
        assert 0.8 < accuracy["new"] < accuracy["old"]
