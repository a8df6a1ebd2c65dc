"""One training in two processes, started by torchrun on loopback."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file

from src.core.errors import UserError
from src.training import batches, launching
from tests import test_training, warm
from tests.conftest import Project
from tests.test_live_curves import wait_until

TWO = "torchrun --standalone --nproc-per-node 2"
LABELLED = "data/normalized/labelled"
OUTPUTS = ("1-0.safetensors", "loss.csv", "accuracy.csv", "metrics.json")


def train(
    project: Project, folder: str, *, launcher: str, recipe: str = "linear", seed: int = 0, fails: bool = False
) -> str:
    project.set({"launcher": launcher})
    outputs = [f"{folder}/{name}" for name in OUTPUTS]
    return project.run("python", "-m", "stages.train", recipe, "1", str(seed), LABELLED, *outputs, fails=fails)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["cross_entropy", "rmse"])
def test_two_processes_train_the_weights_of_one(loss: str, reproduced: Project) -> None:
    """Batches of 255 leave the last one uneven, and order and distortion are random."""
    uneven = {"batch_size": 255, "epochs": 3, "shuffle": True, "augmentation": {"rotation": 8.0}, "loss": loss}
    reproduced.set({f"recipes.linear.{key}": value for key, value in uneven.items()})
    one = train(reproduced, "one", launcher="python")
    assert train(reproduced, "two", launcher=TWO) == one
    assert files(reproduced.root / "two") == sorted(OUTPUTS)
    for name in OUTPUTS[1:]:
        assert (reproduced.root / "two" / name).read_text() == (reproduced.root / "one" / name).read_text()
    weights, expected = (load_file(reproduced.root / folder / OUTPUTS[0]) for folder in ("two", "one"))
    for name, values in expected.items():
        # float64 in training, float32 in the file: a rounding error of 1e-16 may pass its last digit
        np.testing.assert_allclose(weights[name], values, rtol=2e-7, atol=1e-9)


@pytest.mark.slow
def test_two_processes_reach_the_accuracy_of_other_seeds(reproduced: Project) -> None:
    """Batch normalization takes each share by itself, so that the network is not the same, but as good."""
    reproduced.set({"recipes.quick.epochs": 2})
    accuracies = []
    for seed, launcher in ((0, "python"), (1, "python"), (2, "python"), (0, TWO)):
        train(reproduced, "other", launcher=launcher, recipe="quick", seed=seed)
        accuracies.append(float((reproduced.root / "other/accuracy.csv").read_text().splitlines()[-1].split(",")[2]))
    *alone, together = accuracies
    tolerance = 4 / 800  # images of the fold
    assert min(alone) - tolerance <= together <= max(alone) + tolerance
    assert together > 0.97


@pytest.mark.slow
def test_a_process_that_dies_ends_the_stage_with_one_line(reproduced: Project) -> None:
    reproduced.set({"launcher": TWO, "recipes.linear.epochs": 100_000})
    folder = reproduced.root / "other"
    outputs = [f"other/{name}" for name in OUTPUTS]
    stage = subprocess.Popen(
        [sys.executable, "-m", "stages.train", "linear", "1", "0", LABELLED, *outputs],
        cwd=reproduced.root, env=warm.cold(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: (folder / "loss.csv").exists())
    time.sleep(1)
    workers = [process for process in psutil.Process(stage.pid).children(recursive=True) if "RANK" in process.environ()]
    next(process for process in workers if process.environ()["RANK"] == "1").send_signal(signal.SIGKILL)
    _, errors = stage.communicate(timeout=60)
    assert stage.returncode == 1
    assert errors == "error: another process of this training failed, which stopped this one; run it again\n"
    assert files(folder) == []


BAD = {
    "torchrunn --standalone": "error: params.yaml: launcher: there is no program 'torchrunn'; ",
    "torchrun --nproc-per-node '2": "error: params.yaml: launcher: No closing quotation",
    "torchrun --standalone --nproc-per-node two": (
        "error: params.yaml: launcher: torchrun: ValueError: Unsupported nproc_per_node value: two"
    ),
    "torchrun --nnodes 2 --rdzv-backend c10d --rdzv-endpoint 127.0.0.1:0": (
        "error: params.yaml: launcher: its processes did not find each other within 3 s; "
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("launcher", "line"), BAD.items(), ids=BAD)
def test_a_launcher_that_starts_nothing_is_one_line_when_its_patience_ends(
    launcher: str, line: str, reproduced: Project
) -> None:
    module = reproduced.root / "src/training/launching.py"
    module.write_text(module.read_text().replace(f"PATIENCE = {launching.PATIENCE}\n", "PATIENCE = 3\n"))
    begun = time.monotonic()
    output = train(reproduced, "other", launcher=launcher, fails=True)
    assert time.monotonic() - begun < 30
    assert output.startswith(line) and output.count("\n") == 1
    assert files(reproduced.root / "other") == []


def refusal(batch_size: int) -> str:
    return (
        f"params.yaml: launcher: 2 processes cannot share the last batch; batches of {batch_size} leave it 1 of the "
        "3200 training images: change the recipe's batch_size"
    )


@pytest.mark.parametrize("batch_size", [1, 7])
def test_two_processes_for_one_image_are_refused(batch_size: int) -> None:
    with pytest.raises(UserError) as error:
        batches.batch_size(test_training.recipe(batch_size=batch_size), 3200, 2)
    assert str(error.value) == refusal(batch_size)


@pytest.mark.slow
def test_a_refusal_by_two_processes_is_one_line(reproduced: Project) -> None:
    reproduced.set({"recipes.linear.batch_size": 7})
    assert train(reproduced, "other", launcher=TWO, fails=True) == f"error: {refusal(7)}\n"
    assert files(reproduced.root / "other") == []
