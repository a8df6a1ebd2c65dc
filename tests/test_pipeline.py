"""The whole pipeline by the real DVC, on the sample."""

import csv
import io
import json

import pytest

from tests.conftest import ROOT, Project

STAGES = {"download", "split", "normalize", "train@0", "evaluate", "predict", "submit", "draw"}

OTHER_MACHINES = [
    {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
    {"OMP_NUM_THREADS": "2", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3", "MKL_CBWR": "COMPATIBLE"},
]


def metrics(project: Project, name: str) -> dict[str, float]:
    content: dict[str, float] = json.loads((project.root / "metrics" / f"{name}.json").read_text())
    return content


def test_a_fresh_clone_runs_every_stage_but_submit_and_leaves_git_clean(project: Project) -> None:
    assert set(project.repro()) == STAGES - {"submit"}
    assert project.changed() == ""
    assert project.repro() == []
    assert metrics(project, "evaluate")["accuracy"] >= 0.85
    low, high = metrics(project, "evaluate")["accuracy_interval"].values()  # type: ignore[attr-defined]  # nested
    assert low - 0.02 < metrics(project, "submit")["public_score"] < high + 0.02


@pytest.mark.slow
@pytest.mark.parametrize("environment", OTHER_MACHINES, ids=[" ".join(machine) for machine in OTHER_MACHINES])
def test_every_output_has_the_same_bytes_with_other_threads_and_instructions(
    environment: dict[str, str], reproduced: Project
) -> None:
    output = reproduced.run("dvc", "repro", "--force", **environment)
    assert "train@0" in output
    assert reproduced.changed() == ""


def test_the_submission_has_header_and_ids_of_the_sample_submission(reproduced: Project) -> None:
    wanted, submission = (
        list(csv.reader(io.StringIO((reproduced.root / "data" / path).read_text())))
        for path in ("raw/sample_submission.csv", "predictions/submission.csv")
    )
    assert submission[0] == wanted[0]
    assert [row[0] for row in submission] == [row[0] for row in wanted]
    assert {row[1] for row in submission[1:]} == {str(label) for label in range(10)}


def test_no_answers_lie_next_to_the_data(reproduced: Project) -> None:
    assert {path.name for path in (reproduced.root / "data" / "raw").iterdir()} == {
        "train.csv",
        "test.csv",
        "sample_submission.csv",
    }
    assert "label" not in (reproduced.root / "data" / "raw" / "test.csv").read_text().splitlines()[0]


@pytest.mark.slow
def test_a_queued_experiment_runs_the_code_that_it_was_queued_with(reproduced: Project) -> None:
    reproduced.run("dvc", "exp", "run", "--queue", "--name", "shorter", "-S", "recipes.linear.epochs=3")
    (reproduced.root / "src" / "training.py").write_text("raise RuntimeError('the code of the workspace')\n")
    output = reproduced.run("dvc", "exp", "run", "--run-all")
    assert "the code of the workspace" not in output
    shown = json.loads(reproduced.run("dvc", "metrics", "diff", "--json", "main", "shorter").splitlines()[-1])
    assert shown["metrics/train/0.json"]["epoch"] == {"old": 40, "new": 3, "diff": -37}


@pytest.mark.slow
def test_all_labelled_images_can_be_trained_on(reproduced: Project) -> None:
    reproduced.set({"split.train_fraction": 1.0, "recipes.linear.epochs": 2})
    output = reproduced.run("dvc", "repro", fails=True)
    assert "submit.when: better needs a validation accuracy" in output
    assert "Traceback" not in output
    assert "There is no accuracy: split.train_fraction leaves no validation set." in output
    assert metrics(reproduced, "evaluate") == {"images": 0}
    reproduced.set({"submit.when": "always"})
    reproduced.repro()
    assert metrics(reproduced, "submit")["public_score"] > 0.8
    reproduced.run("dvc", "plots", "show")


@pytest.mark.parametrize("module", ["download", "split", "normalize", "submit", "draw"])
def test_a_stage_that_needs_no_torch_does_not_import_it(module: str) -> None:
    check = f"import sys, stages.{module}; assert 'torch' not in sys.modules"
    Project(ROOT).run("python", "-c", check)


@pytest.mark.parametrize("module", ["train", "evaluate", "predict"])
def test_waiting_threads_are_told_to_sleep_before_torch_is_loaded(module: str) -> None:
    check = f"import os, sys, stages.{module}; print(os.environ['OMP_WAIT_POLICY'], os.environ['GOMP_SPINCOUNT']); "
    order = "order = [*sys.modules]; assert order.index('src.cli') < order.index('torch')"
    unset = ("env", "-u", "OMP_WAIT_POLICY", "-u", "GOMP_SPINCOUNT")
    assert Project(ROOT).run(*unset, "python", "-c", check + order) == "PASSIVE 4000\n"


def test_training_that_diverges_leaves_no_model(reproduced: Project) -> None:
    reproduced.set({"recipe": "mlp", "recipes.mlp.optimizer": "sgd", "recipes.mlp.lr": 1e6})
    outputs = [f"other/{name}" for name in ("0.safetensors", "loss.csv", "accuracy.csv", "metrics.json")]
    inputs = ["data/normalized/train", "data/normalized/validation"]
    output = reproduced.run("python", "-m", "stages.train", "0", *inputs, *outputs, fails=True)
    assert output.splitlines()[-1].startswith("error: the loss became nan in epoch 1 at a learning rate of ")
    assert "Traceback" not in output
    assert not (reproduced.root / "other").exists()


def test_a_mistake_is_one_line_and_leaves_no_output(reproduced: Project) -> None:
    reproduced.set({"split.train_fraction": 1.2})
    output = reproduced.run("python", "-m", "stages.split", "data/raw", "other/split", "other/split.json", fails=True)
    assert output == (
        "error: params.yaml: split.train_fraction: input should be less than or equal to 1 (found: 1.2)\n"
    )
    missing = reproduced.run("python", "-m", "stages.split", "nowhere", "other/split", "other/split.json", fails=True)
    assert missing == "error: there is no sample_submission.csv in nowhere\n"
    assert not (reproduced.root / "other").exists()
