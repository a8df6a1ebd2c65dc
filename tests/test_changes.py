"""What a change runs again: no more than it touches, and no less."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dvc.utils.serialize import load_yaml

from tests.conftest import ROOT, STAGES, Project
from tests.test_remotes import clone_of

ALL = {*STAGES}
WITH_NUMBERS = ALL - {"download@files", "ensemble", "submit"}
AFTER_TRAIN = {"ensemble", "predict", "evaluate", "submit", "draw"}
OF_MEMBERS = ("checkpoints", "models", "plots/curves/loss", "plots/curves/accuracy", "metrics/train")
"""The folders that hold a file for each network."""

# stages that depend on a file directly; those after them run only where an output changes
CODE = {
    "src/core/outputs.py": ALL,
    "src/check.py": set(),
    "src/data/images.py": WITH_NUMBERS,
    "src/data/competition/files.py": {"download@files", "split", "audit", "predict"},
    "src/data/competition/reading.py": {"download@files", "split", "predict"},
    "src/audit/duplicates.py": {"audit"},
    "src/data/competition/scale.py": {"download@files", "split", "normalize", "predict"},
    "src/preparation/folds.py": {"split"},
    "src/preparation/scaling.py": {"normalize"},
    "src/sources/archive.py": {"download@files"},
    "src/sources/submission.py": {"submit"},
    "src/sources/sample/source.py": {"download@files", "submit"},
    "src/sources/local/source.py": set(),
    "src/sources/kaggle/source.py": set(),
    "src/sources/kaggle/client.py": set(),
    "src/models/networks.py": {"train@4-0", "predict"},
    "src/models/preprocessing.py": {"train@4-0", "predict"},
    "src/training/loop.py": {"train@4-0"},
    "src/inference/members.py": {"ensemble", "evaluate"},
    "src/inference/ensemble.py": {"predict"},
    "src/evaluation/scores.py": {"evaluate"},
    "src/evaluation/mistakes.py": {"evaluate"},
    "src/reporting/pictures/style.py": {"draw"},
    "src/reporting/comparison.py": set(),
    "src/reporting/page.html.jinja": set(),
    "stages/train.py": {"train@4-0"},
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


# stages that run after a change of a parameter; the tests below show it for epochs, folds and seeds
PARAMETERS: list[tuple[dict[str, object], set[str]]] = [
    ({"recipes.notebook.lr": 0.02, "sources.kaggle.competition": "other"}, set()),
    ({"sources.sample.seed": 1}, ALL),
    ({"split.shuffle": True}, ALL - {"download@files"}),
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
    assert set(reproduced.repro()) == {"train@4-0"} | AFTER_TRAIN
    reproduced.commit()
    reproduced.set({"recipes.linear.epochs": 1})
    assert "submit" in reproduced.repro("submit")
    assert "metrics/submit.json" in reproduced.changed()
    reproduced.set({"recipes.linear.epochs": 2})
    assert reproduced.repro() == []
    assert reproduced.changed() == " M metrics/submissions.csv\n"  # what was submitted in between stays recorded


def trained(stages: list[str]) -> list[str]:
    """Return the names of the networks that were trained, of the stages that ran."""
    return sorted(stage.removeprefix("train@") for stage in stages if stage.startswith("train@"))


def assert_only(project: Project, members: set[str]) -> None:
    """Check that each folder holds the files of these members and of no others, and that dvc.lock says so too."""
    for folder in OF_MEMBERS:
        assert {file.stem for file in (project.root / folder).iterdir()} == members, folder
    assert {*pd.read_csv(project.root / "plots/members.csv")["member"]} == members
    locked = load_yaml(project.root / "dvc.lock")["stages"]
    files = {dep["path"]: dep.get("nfiles") for stage in ("ensemble", "draw") for dep in locked[stage]["deps"]}
    expected = {"checkpoints": len(members), "models": len(members), "plots/curves": 2 * len(members)}
    assert {folder: files[folder] for folder in expected} == expected


@pytest.mark.slow
def test_folds_and_seeds_that_come_and_go_train_only_what_is_new_and_leave_nothing_behind(
    reproduced: Project, tmp_path: Path
) -> None:
    reproduced.set({"folds": [3, 4], "recipes.linear.epochs": 2})
    assert trained(reproduced.repro("ensemble")) == ["3-0", "4-0"]
    reproduced.set({"seeds": [0, 1]})
    assert trained(reproduced.repro()) == ["3-1", "4-1"]
    all_members = {"3-0", "3-1", "4-0", "4-1"}
    assert_only(reproduced, all_members)
    assert len(pd.read_csv(reproduced.root / "data/predictions/validation.csv")) == 2 * 800
    reproduced.commit()
    reproduced.set({"folds": [4], "seeds": [0]})
    assert set(reproduced.repro()) == AFTER_TRAIN
    assert_only(reproduced, {"4-0"})
    reproduced.commit()

    clone = clone_of(reproduced, tmp_path / "clone")
    assert trained(clone.repro("evaluate")) == ["4-0"]
    assert clone.changed() == ""
    assert_only(clone, {"4-0"})

    reproduced.run("git", "revert", "--no-edit", "HEAD")
    assert reproduced.repro() == [], "the run-cache still has all of it"
    assert reproduced.changed() == ""
    assert_only(reproduced, all_members)

    for folder in OF_MEMBERS[:2]:
        (reproduced.root / folder / "7-0.safetensors").write_bytes(b"left behind")
    assert reproduced.repro() == ["ensemble"]
    assert reproduced.changed() == ""
    assert_only(reproduced, all_members)
