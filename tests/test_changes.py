"""What runs again after a change: no more than what the change touches, and no less."""

import pytest
from ruamel.yaml import YAML

from tests.conftest import Project

AFTER_TRAIN = {"evaluate", "predict", "submit", "draw"}
AFTER_SPLIT = {"normalize", "train@0"} | AFTER_TRAIN

CHANGES: list[tuple[dict[str, object], set[str]]] = [
    ({"recipes.notebook.lr": 0.02, "sources.kaggle.competition": "other", "sources.local.path": "x"}, set()),
    ({"sources.sample.seed": 1}, {"download", "split"} | AFTER_SPLIT),
    ({"split.train_fraction": 0.75}, {"split"} | AFTER_SPLIT),
    ({"recipes.linear.epochs": 2}, {"train@0"} | AFTER_TRAIN),
    ({"seeds": [0, 1]}, {"train@1"} | AFTER_TRAIN),
    ({"submit.when": "always"}, {"submit"}),
]


@pytest.mark.parametrize(("values", "expected"), CHANGES, ids=[" ".join(values) for values, _ in CHANGES])
def test_a_parameter_runs_what_reads_it(values: dict[str, object], expected: set[str], reproduced: Project) -> None:
    reproduced.set(values)
    assert set(reproduced.repro()) == expected


CODE = [
    ("src/drawing.py", {"draw"}),
    ("src/sources/kaggle.py", set()),
    ("src/submission.py", {"submit"}),
    ("src/training.py", {"train@0"}),
]


@pytest.mark.parametrize(("file", "expected"), CODE)
def test_code_runs_the_stages_that_import_it(file: str, expected: set[str], reproduced: Project) -> None:
    with (reproduced.root / file).open("a") as code:
        code.write("\n# a remark\n")
    assert set(reproduced.repro()) == expected


@pytest.mark.slow
def test_going_back_restores_the_result_and_submits_nothing(reproduced: Project) -> None:
    reproduced.set({"recipes.linear.epochs": 2})
    assert "submit" in reproduced.repro()
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
    reproduced.repro()
    reproduced.commit()
    assert '"1"' in (root / "metrics" / "evaluate.json").read_text()
    reproduced.set({"seeds": [0]})
    reproduced.repro()
    reproduced.commit()
    for folder in ("models", "plots/loss", "plots/accuracy", "metrics/train"):
        assert [file.stem for file in (root / folder).iterdir()] == ["0"]
    locked = YAML(typ="safe").load(root / "dvc.lock")["stages"]
    folders = [dep for stage in ("evaluate", "predict", "draw") for dep in locked[stage]["deps"] if "nfiles" in dep]
    assert {dep["nfiles"] for dep in folders if dep["path"] in ("models", "plots/loss", "plots/accuracy")} == {1}

    reproduced.run("git", "clone", "--quiet", ".", "clone")
    clone = Project(root / "clone")
    assert "train@1" not in clone.repro()
    assert clone.changed() == ""

    reproduced.set({"seeds": [0, 1]})
    assert "train@1" not in reproduced.repro(), "the run-cache still has the model"
