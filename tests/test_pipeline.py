"""The whole pipeline by the real DVC, on the sample."""

import csv
import io
import json
import re

import pytest
from dvc.utils.serialize import load_yaml

from tests.conftest import ROOT, Project

STAGES = {"download", "split", "normalize", "train@0", "ensemble", "evaluate", "predict", "submit", "draw"}

OTHER_SPLIT = ("other/split", "other/classes.csv", "other/split.json")

OTHER_MACHINES = [
    {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
    {"OMP_NUM_THREADS": "2", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3", "MKL_CBWR": "COMPATIBLE"},
]


def metrics(project: Project, name: str) -> dict[str, float]:
    content: dict[str, float] = json.loads((project.root / "metrics" / f"{name}.json").read_text())
    return content


def test_a_fresh_clone_runs_every_stage_but_submit_and_leaves_git_clean(
    finished: Project, first_run: tuple[list[str], str, list[str]]
) -> None:
    first, changed, second = first_run
    assert set(first) == STAGES - {"submit"}
    assert changed == ""
    assert second == []
    assert metrics(finished, "evaluate")["accuracy"] >= 0.85
    low, high = metrics(finished, "evaluate")["accuracy_interval"].values()  # type: ignore[attr-defined]  # nested
    assert low - 0.02 < metrics(finished, "submit")["public_score"] < high + 0.02


@pytest.mark.slow
@pytest.mark.parametrize("environment", OTHER_MACHINES, ids=[" ".join(machine) for machine in OTHER_MACHINES])
def test_every_output_has_the_same_bytes_with_other_threads_and_instructions(
    environment: dict[str, str], reproduced: Project
) -> None:
    output = reproduced.run("dvc", "repro", "--force", **environment)
    assert "train@0" in output
    assert reproduced.changed() == ""


def test_the_submission_has_header_and_ids_of_the_sample_submission(finished: Project) -> None:
    wanted, submission = (
        list(csv.reader(io.StringIO((finished.root / "data" / path).read_text())))
        for path in ("raw/sample_submission.csv", "predictions/submission.csv")
    )
    assert submission[0] == wanted[0]
    assert [row[0] for row in submission] == [row[0] for row in wanted]
    assert {row[1] for row in submission[1:]} == {str(label) for label in range(10)}


def test_no_answers_lie_next_to_the_data(finished: Project) -> None:
    assert {path.name for path in (finished.root / "data" / "raw").iterdir()} == {
        "train.csv",
        "test.csv",
        "sample_submission.csv",
    }
    assert "label" not in (finished.root / "data" / "raw" / "test.csv").read_text().splitlines()[0]


@pytest.mark.slow
def test_a_queued_experiment_runs_the_code_that_it_was_queued_with(reproduced: Project) -> None:
    reproduced.run("dvc", "exp", "run", "--queue", "--name", "shorter", "-S", "recipes.linear.epochs=3")
    (reproduced.root / "src" / "training" / "loop.py").write_text("raise RuntimeError('the code of the workspace')\n")
    output = reproduced.run("dvc", "exp", "run", "--run-all")
    assert "the code of the workspace" not in output
    shown = json.loads(reproduced.run("dvc", "metrics", "diff", "--json", "main", "shorter").splitlines()[-1])
    accuracy = shown["metrics/train/0.json"]["train_accuracy"]
    assert 0.8 < accuracy["new"] < accuracy["old"]


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


def test_training_imports_no_pandas_and_prediction_no_compiler() -> None:
    Project(ROOT).run("python", "-c", "import sys, stages.train; assert 'pandas' not in sys.modules")
    check = "import sys, stages.predict as p\nwith p.repeatable(): assert 'torch._dynamo' not in sys.modules"
    Project(ROOT).run("python", "-c", check)


def test_a_command_leaves_nothing_to_the_last_garbage_collection() -> None:
    last = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count()))"  # registered first, it runs last
    printed = Project(ROOT).run("python", "-c", f"{last}\nfrom src.core import cli\ncli.run(lambda: None)")
    assert int(printed) > 1000


def test_waiting_threads_of_torch_spin_only_briefly(finished: Project) -> None:
    stages = load_yaml(finished.root / "dvc.lock")["stages"]
    for name in ("train@0", "evaluate", "predict"):
        assert stages[name]["cmd"].startswith("env OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=4000 ")


def test_training_that_diverges_leaves_no_model(reproduced: Project) -> None:
    reproduced.set({"recipes.mlp.optimizer": "sgd", "recipes.mlp.lr": 1e6})
    outputs = [f"other/{name}" for name in ("0.safetensors", "loss.csv", "accuracy.csv", "metrics.json")]
    inputs = ["data/normalized/train", "data/normalized/validation"]
    output = reproduced.run("python", "-m", "stages.train", "mlp", "0", *inputs, *outputs, fails=True)
    assert output.splitlines()[-1].startswith("error: the loss became nan in epoch 1; lower the recipe's lr")
    assert "Traceback" not in output
    assert not [path for path in (reproduced.root / "other").rglob("*") if path.is_file()]


def test_a_mistake_is_one_line_and_leaves_no_output(reproduced: Project) -> None:
    reproduced.set({"split.train_fraction": 1.2})
    output = reproduced.run("python", "-m", "stages.split", "data/raw", *OTHER_SPLIT, fails=True)
    assert output == (
        "error: params.yaml: split.train_fraction: input should be less than or equal to 1 (found: 1.2)\n"
    )
    missing = reproduced.run("python", "-m", "stages.split", "nowhere", *OTHER_SPLIT, fails=True)
    assert missing == "error: there is no train.csv in nowhere\n"
    assert not any((reproduced.root / "other").glob("*"))


ROWS = re.compile(r"^metrics/\S+ ", re.MULTILINE)


@pytest.mark.slow
def test_two_recipes_are_compared_at_a_glance(reproduced: Project) -> None:
    for lr in (0.05, 0.2):
        rate = f"recipes.linear.lr={lr}"
        reproduced.run("dvc", "exp", "run", "--quiet", "--name", f"rate-{lr}", "-S", rate, "submit")
    reproduced.run("dvc", "exp", "run", "--quiet", "--name", "quick", "-S", "recipe=quick", "submit")
    printed = reproduced.run("dvc", "metrics", "diff")  # DVC takes the files in no fixed order
    assert 5 <= len(ROWS.findall(printed)) <= 15
    for name in ("accuracy ", "accuracy_interval.low", "accuracy_interval.high", "public_score"):
        assert name in printed
    (reproduced.root / ".venv").mkdir()
    for stamp in ("runtime", "developers"):
        (reproduced.root / ".venv" / stamp).touch()
    table = reproduced.run("make", "--no-print-directory", "experiments", COLUMNS="120")
    print(table)
    assert max(map(len, table.splitlines())) <= 120
    for shown in ("Experiment", "rate-0.05", "rate-0.2", "quick", "accuracy", "public_score", "recipe"):
        assert shown in table
    assert "…" not in table
