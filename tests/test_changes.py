"""What a change runs again: no more than it touches, and no less."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dvc.utils.serialize import load_yaml

from tests.conftest import ROOT, Project

AFTER_TRAIN = {"evaluate", "predict", "submit", "draw"}
WITH_NUMBERS = {"split", "normalize", "train@0", "evaluate", "predict", "draw"}
ALL = WITH_NUMBERS | {"download", "ensemble", "submit"}

# stages that depend on a file directly; those after them run only where an output changes
CODE = {
    "src/core/outputs.py": ALL,
    "src/check.py": set(),
    "src/data/images.py": WITH_NUMBERS | {"download"},
    "src/data/competition.py": {"download", "split", "normalize", "predict"},
    "src/preparation/splitting.py": {"split"},
    "src/preparation/normalizing.py": {"normalize"},
    "src/sources/archive.py": {"download"},
    "src/sources/submission.py": {"submit"},
    "src/sources/sample/source.py": {"download", "submit"},
    "src/sources/local/source.py": set(),
    "src/sources/kaggle/source.py": set(),
    "src/sources/kaggle/client.py": set(),
    "src/models/networks.py": {"train@0", "evaluate", "predict"},
    "src/models/preprocessing.py": {"train@0", "evaluate", "predict"},
    "src/training/loop.py": {"train@0"},
    "src/inference/members.py": {"ensemble", "evaluate", "predict"},
    "src/inference/ensemble.py": {"evaluate", "predict"},
    "src/evaluation/scores.py": {"evaluate"},
    "src/reporting/pictures/style.py": {"draw"},
    "src/reporting/comparison.py": set(),
    "src/reporting/page.html.jinja": set(),
    "stages/train.py": {"train@0"},
    "requirements.txt": WITH_NUMBERS,
    "requirements-dev.txt": set(),
}


@pytest.mark.parametrize(("file", "expected"), CODE.items(), ids=CODE)
def test_a_file_concerns_the_stages_that_depend_on_it(
    file: str, expected: set[str], finished_stages: dict[str, Any]
) -> None:
    assert (ROOT / file).is_file()
    concerned = {
        name
        for name, stage in finished_stages.items()
        if any(Path(file).is_relative_to(dep.def_path) for dep in stage.deps)
    }
    assert concerned == expected


# stages that run after a change of a parameter; the tests below show it for epochs, seeds and more_recipes
PARAMETERS: list[tuple[dict[str, object], set[str]]] = [
    ({"recipes.notebook.lr": 0.02, "sources.kaggle.competition": "other", "sources.local.path": "x"}, set()),
    ({"sources.sample.seed": 1}, ALL - {"ensemble"}),
    ({"split.train_fraction": 0.75}, ALL - {"download", "ensemble"}),
    ({"submit.when": "always"}, {"submit"}),
]
PARAMETER_CASES = [
    pytest.param(values, expected, id=" ".join(values), marks=[pytest.mark.slow] if len(expected) > 1 else [])
    for values, expected in PARAMETERS
]


@pytest.mark.parametrize(("values", "expected"), PARAMETER_CASES)
def test_a_parameter_runs_what_reads_it(values: dict[str, object], expected: set[str], reproduced: Project) -> None:
    reproduced.set(values)
    assert set(reproduced.repro()) == expected


@pytest.mark.slow
def test_a_comment_in_the_code_runs_the_stages_that_depend_on_it(reproduced: Project) -> None:
    for file in ("src/sources/submission.py", "src/reporting/pictures/datasets.py", "src/reporting/page.py"):
        with (reproduced.root / file).open("a") as code:
            code.write("\n# a comment\n")
    assert set(reproduced.repro()) == {"submit", "draw"}


@pytest.mark.slow
def test_going_back_restores_the_result_and_submits_nothing(reproduced: Project) -> None:
    reproduced.set({"recipes.linear.epochs": 2})
    assert set(reproduced.repro()) == {"train@0"} | AFTER_TRAIN
    reproduced.commit()
    reproduced.set({"recipes.linear.epochs": 1})
    assert "submit" in reproduced.repro()
    assert "metrics/submit.json" in reproduced.changed()
    reproduced.set({"recipes.linear.epochs": 2})
    assert reproduced.repro() == []
    assert reproduced.changed() == ""


@pytest.mark.slow
def test_seeds_that_come_and_go_leave_nothing_behind(reproduced: Project) -> None:
    root = reproduced.root
    reproduced.set({"seeds": [0, 1]})
    assert set(reproduced.repro()) == {"train@1", "ensemble"} | AFTER_TRAIN
    reproduced.commit()
    assert (root / "plots/members.csv").read_text().count("\n") == 3
    reproduced.set({"seeds": [0]})
    assert "ensemble" in reproduced.repro()
    reproduced.commit()
    for folder in ("models", "plots/curves/loss", "plots/curves/accuracy", "metrics/train"):
        assert {file.stem for file in (root / folder).iterdir()} - {"ensemble"} == {"0"}
    locked = load_yaml(root / "dvc.lock")["stages"]
    files = {(stage, dep["path"]): dep.get("nfiles") for stage in locked for dep in locked[stage]["deps"]}
    for stage in ("evaluate", "predict", "draw"):
        assert files[stage, "models"] == 2, "a model and ensemble.json"
    assert files["draw", "plots/curves"] == 2

    reproduced.run("git", "clone", "--quiet", ".", "clone")
    clone = Project(root / "clone")
    assert "train@1" not in clone.repro()
    assert clone.changed() == ""

    reproduced.set({"seeds": [0, 1]})
    assert "train@1" not in reproduced.repro(), "the run-cache still has the model"
    reproduced.set({"seeds": [0]})
    reproduced.repro()
    assert [file.name for file in (root / "models").glob("*.safetensors")] == ["0.safetensors"]


@pytest.mark.slow
def test_a_member_is_trained_alone_and_leaves_nothing_behind(reproduced: Project) -> None:
    root = reproduced.root
    linear = (root / "models" / "0.safetensors").read_bytes()
    reproduced.set({"more_recipes": ["quick", "mlp"], "recipes.mlp.epochs": 1})
    assert set(reproduced.repro()) == {"train_more@quick-0", "train_more@mlp-0", "ensemble"} | AFTER_TRAIN
    reproduced.commit()
    assert (root / "models" / "0.safetensors").read_bytes() == linear
    members = pd.read_csv(root / "plots" / "members.csv")
    assert list(members["member"]) == ["0", "quick-0", "mlp-0"]
    assert len(pd.read_csv(root / "plots" / "pairs.csv")) == 3
    reproduced.set({"recipes.mlp.epochs": 2})
    assert {name for name in reproduced.repro() if "train" in name} == {"train_more@mlp-0"}
    reproduced.set({"more_recipes": ["quick"], "seeds": [0, 1]})
    assert {name for name in reproduced.repro() if "train" in name} == {"train@1", "train_more@quick-1"}
    for folder in ("models", "plots/curves/loss", "plots/curves/accuracy", "metrics/train"):
        kept = {file.stem for file in (root / folder).iterdir()} - {"ensemble"}
        assert kept == {"0", "1", "quick-0", "quick-1"}
    reproduced.run("python", "-m", "src.reporting.report")
    reproduced.set({"more_recipes": ["quick", "mlp"], "seeds": [0]})
    assert not [name for name in reproduced.repro() if "train" in name], "the run-cache still has the models"


@pytest.mark.slow
def test_a_model_of_no_seed_is_refused(reproduced: Project) -> None:
    stray = reproduced.root / "models" / "7.safetensors"
    stray.write_bytes(b"left behind")
    output = reproduced.run("dvc", "repro", "evaluate", fails=True)
    assert "error: models/7.safetensors: the ensemble has no such member (params.yaml: seeds, more_recipes)" in output
    reproduced.run("dvc", "repro", "--force", "--single-item", "ensemble")
    assert not stray.exists()
