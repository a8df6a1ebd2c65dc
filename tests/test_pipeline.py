"""The whole pipeline by the real DVC, on the sample."""

import csv
import io
import re
from typing import Any

import pandas as pd
import pytest
from dvc.utils.serialize import load_yaml

from tests.competitions import digits
from tests.conftest import ROOT, STAGES, Project

OTHER_SPLIT = ("other/split", "other/classes.csv", "other/split.json")

OTHER_MACHINES = [
    {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
    {"OMP_NUM_THREADS": "2", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3", "MKL_CBWR": "COMPATIBLE"},
]

EDGES = {
    "download split", "split audit", "split normalize", "normalize train", "train ensemble",
    "ensemble predict", "predict evaluate", "evaluate submit",
    "download predict", "normalize predict", "normalize evaluate", "predict submit",
    *(f"{stage} draw" for stage in ("normalize", "train", "ensemble", "predict", "evaluate")),
}  # fmt: skip
"""A chain; what some of its stages read besides; and `draw`, which reads what all others have written."""


def test_a_fresh_clone_runs_every_stage_but_submit_and_leaves_git_clean(
    finished: Project, first_run: tuple[list[str], str, list[str]]
) -> None:
    first, changed, second = first_run
    assert set(first) == {*STAGES} - {"submit"}
    assert changed == ""
    assert second == []
    scores = finished.metrics("evaluate")
    assert scores["accuracy"] >= 0.85
    assert scores["ci_low"] - 0.02 < finished.metrics("submit")["public_score"] < scores["ci_high"] + 0.02


def test_every_run_is_kept_to_be_restored(
    finished: Project, finished_stages: dict[str, Any], first_run: tuple[list[str], str, list[str]]
) -> None:
    """DVC keeps none of a stage with an output that is neither in the cache nor a metric, and does not say so."""
    kept = {load_yaml(run)["cmd"] for run in (finished.root / ".dvc/cache/runs").rglob("*") if run.is_file()}
    assert [name for name in first_run[0] if finished_stages[name].cmd not in kept] == []


def test_the_stages_are_a_chain(finished: Project) -> None:
    drawn = finished.run("dvc", "dag", "--collapse-foreach-matrix", "--dot")
    assert {" ".join(edge) for edge in re.findall(r'"(\w+)" -> "(\w+)"', drawn)} == EDGES


def test_the_metrics_fit_into_a_terminal(finished: Project) -> None:
    shown = finished.run("dvc", "metrics", "show")
    assert "public_score" in shown
    assert max(map(len, shown.splitlines())) <= 120


@pytest.mark.slow
@pytest.mark.parametrize("environment", OTHER_MACHINES, ids=[" ".join(machine) for machine in OTHER_MACHINES])
def test_every_output_has_the_same_bytes_with_other_threads_and_instructions(
    environment: dict[str, str], reproduced: Project
) -> None:
    output = reproduced.run("dvc", "repro", "--force", **environment)
    assert "train@4-0" in output
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


def test_only_training_and_prediction_import_torch() -> None:
    others = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__", "train", "predict"}
    assert len(others) == 8
    stages = ", ".join(f"stages.{name}" for name in others)
    Project(ROOT).run("python", "-c", f"import sys, {stages}; assert 'torch' not in sys.modules")


def test_training_imports_no_pandas_and_prediction_no_compiler() -> None:
    Project(ROOT).run("python", "-c", "import sys, stages.train; assert 'pandas' not in sys.modules")
    check = "import sys, stages.predict as p\nwith p.repeatable(): assert 'torch._dynamo' not in sys.modules"
    Project(ROOT).run("python", "-c", check)


def test_a_command_leaves_nothing_to_the_last_garbage_collection() -> None:
    last = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count()))"  # registered first, it runs last
    printed = Project(ROOT).run("python", "-c", f"{last}\nfrom src.core import cli\ncli.run(lambda: None)")
    assert int(printed) > 1000


def test_training_that_diverges_leaves_no_model(reproduced: Project) -> None:
    reproduced.set({"recipes.mlp.optimizer": "sgd", "recipes.mlp.lr": 1e6})
    outputs = [f"other/{name}" for name in ("4-0.safetensors", "loss.csv", "accuracy.csv", "metrics.json")]
    command = ["python", "-m", "stages.train", "mlp", "4", "0", "data/normalized/labelled", *outputs]
    output = reproduced.run(*command, fails=True)
    assert output.splitlines()[-1].startswith("error: the loss became nan in epoch 1; lower the recipe's lr")
    assert "Traceback" not in output
    assert not [path for path in (reproduced.root / "other").rglob("*") if path.is_file()]


def test_a_mistake_is_one_line_and_leaves_no_output(reproduced: Project) -> None:
    reproduced.set({"split.n_splits": 1})
    output = reproduced.run("python", "-m", "stages.split", "data/raw", *OTHER_SPLIT, fails=True)
    assert output == ("error: params.yaml: split.n_splits: input should be greater than or equal to 2 (found: 1)\n")
    missing = reproduced.run("python", "-m", "stages.split", "nowhere", *OTHER_SPLIT, fails=True)
    assert missing == "error: there is no train.csv in nowhere\n"
    assert not any((reproduced.root / "other").glob("*"))


def test_a_sorted_file_is_refused_in_one_line(project: Project) -> None:
    folder = project.root.parent / "sorted"
    folder.mkdir()
    for name, content in digits().files.items():
        (folder / name).write_bytes(content)
    rows = pd.read_csv(folder / "train.csv").sort_values("label")
    rows.to_csv(folder / "train.csv", index=False)
    project.set({"source": "local", "sources.local.path": str(folder)})
    output = project.run("dvc", "repro", fails=True)
    [line] = [line for line in output.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: train.csv is sorted by label: ") and "set split.shuffle to true" in line
    assert "Traceback" not in output
    project.set({"split.shuffle": True})
    project.run("dvc", "repro", "split")
