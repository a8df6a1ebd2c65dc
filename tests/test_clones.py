"""Several runs at once: in clones that share a cache, and by DVC's queue."""

import json
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.competitions import digits
from tests.conftest import STAGES, Project, stages_run
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
        return clone.repro("--single-item", f"train@4-{seed}")

    with ThreadPoolExecutor() as workers:
        assert [*workers.map(work, [0, 1])] == [["train@4-0"], ["train@4-1"]]
    assert set(reproduced.repro()) == {"ensemble", "predict", "evaluate", "submit", "draw"}
    for seed in (0, 1):
        for name in (f"checkpoints/4-{seed}.safetensors", f"metrics/train/4-{seed}.json"):
            assert (reproduced.root / name).read_bytes() == (tmp_path / str(seed) / name).read_bytes()


@pytest.mark.slow
def test_a_run_in_a_temporary_folder_is_restored_by_another_and_by_a_second_clone(
    project: Project, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:  # its results are in no cache
        for file, content in digits().files.items():
            archive.writestr(file, content)
    changes = ["source=local", f"sources.local.path={tmp_path}/digits.zip", "recipe=mlp"]
    run = ["dvc", "exp", "run", *(word for change in changes for word in ("-S", change))]
    first, second = (clone_of(project, tmp_path / name) for name in ("first", "second"))
    for clone in (first, second):
        clone.run("dvc", "config", "--local", "cache.dir", str(tmp_path / "cache"))
    assert stages_run(first.run(*run, "--temp", "--name", "one")) == STAGES
    assert stages_run(first.run(*run, "--temp", "--name", "two")) == []
    assert "accuracy" not in first.run("dvc", "metrics", "diff", "one", "two")
    assert first.changed() == ""
    assert stages_run(second.run(*run)) == []
    first.run("dvc", "exp", "apply", "one")
    # what a clone restores it has not submitted
    assert second.changed() == first.changed().replace(" M metrics/submissions.csv\n", "") != first.changed()
    for name in ("dvc.lock", "metrics/evaluate.json", "models/4-0.safetensors", "data/predictions/submission.csv"):
        assert (second.root / name).read_bytes() == (first.root / name).read_bytes()


@pytest.mark.slow
def test_two_queued_experiments_run_at_once_with_the_code_that_they_were_queued_with(
    reproduced: Project, tmp_path: Path
) -> None:
    shutil.copytree(reproduced.root / "data" / "raw", tmp_path / "files")
    source = ["-S", "source=local", "-S", f"sources.local.path={tmp_path}/files"]
    for epochs in (3, 4):
        changes = [*source, "-S", f"recipes.linear.epochs={epochs}"]
        reproduced.run("dvc", "exp", "run", "--queue", "--name", f"epochs-{epochs}", *changes)
    (reproduced.root / "src/training/loop.py").write_text("raise RuntimeError('the code of the workspace')\n")
    reproduced.run("dvc", "queue", "start", "--jobs", "2")
    wait_until(lambda: "Queued" not in (status := reproduced.run("dvc", "queue", "status")) and "Running" not in status)
    assert reproduced.run("dvc", "queue", "status").count("Success") == 2
    for epochs in (3, 4):
        shown = reproduced.run("dvc", "metrics", "diff", "--json", "main", f"epochs-{epochs}")
        accuracy = json.loads(shown.splitlines()[-1])["metrics/train/4-0.json"]["train_accuracy"]
        assert 0.8 < accuracy["new"] < accuracy["old"]
