"""The table of `make experiments`."""

import re

import pytest

from src.reporting import experiments
from tests.conftest import Project

LIST = ("python", "-m", "src.reporting.experiments")
SCORES = {"accuracy": 0.9, "ci_low": 0.88, "ci_high": 0.92, "public_score": 0.89}
COMMIT = {"Experiment": None, "rev": "main", "State": None, "recipe": "linear", "folds": "[4]", "seeds": "[0]",
          "recipes.linear.lr": 0.1, **SCORES}  # fmt: skip


def test_without_an_experiment_it_says_how_to_make_one(finished: Project) -> None:
    assert finished.run(*LIST) == ("There is no experiment since the last commit. Run one: dvc exp run -S recipe=mlp\n")


def test_one_that_has_not_finished_has_no_score() -> None:
    """DVC gives it the scores of the commit that it started from, also after its worker was killed."""
    rows = [COMMIT, *({**COMMIT, "Experiment": state, "State": state} for state in experiments.UNFINISHED)]
    table = experiments.table(rows, {}).set_index("experiment")
    assert table.loc["main", "accuracy"] == "0.9000"
    for state in experiments.UNFINISHED:
        assert list(table.loc[state, ["state", "accuracy", "95 % interval", "public score"]]) == [state, "", "", ""]


def test_the_most_accurate_comes_first_with_what_it_changed() -> None:
    worse = {
        **COMMIT,
        "Experiment": "worse",
        "public_score": "None",
        "rev": "of worse",
        "recipes.linear.lr": 0.5,
        "accuracy": 0.5,
    }
    better = {**COMMIT, "Experiment": "better", "rev": "of better", "recipe": "quick", "accuracy": 0.97}
    table = experiments.table([COMMIT, worse, better], {"of worse": "worse", "of better": "undecided"})
    assert list(table["experiment"]) == ["main", "better", "worse"]
    assert list(table["also changed"]) == ["", "", "recipes.linear.lr=0.5"]
    assert list(table["recipe"]) == ["linear", "quick", "linear"]
    assert list(table["vs commit"]) == ["", "undecided", "worse"]
    assert list(table["public score"]) == ["0.89", "0.89", ""]


@pytest.mark.slow
def test_experiments_are_compared_at_a_glance_and_one_in_the_queue_has_no_score(reproduced: Project) -> None:
    changes = {"folds": ["folds=[0,1,2,3,4]", "recipes.linear.epochs=1"], "quick": ["recipe=quick"]}
    for name, changed in changes.items():
        options = [word for change in changed for word in ("-S", change)]
        reproduced.run("dvc", "exp", "run", "--quiet", "--name", name, *options, "submit")
        reproduced.run("git", "checkout", "--quiet", "params.yaml")
    for name, rows in (("quick", 12), ("folds", 16)):
        printed = reproduced.run("dvc", "metrics", "diff", "main", name)  # DVC takes the files in no fixed order
        assert 5 <= len(re.findall(r"^metrics/\S+ ", printed, re.MULTILINE)) <= rows
        for score in ("accuracy ", "ci_low", "ci_high", "public_score"):
            assert score in printed
    table = reproduced.run(*LIST, COLUMNS="120")
    assert max(map(len, table.splitlines())) <= 120 and "…" not in table
    reproduced.run("dvc", "exp", "run", "--queue", "--name", "later", "-S", "recipe=quick")
    head, commit, *others = reproduced.run(*LIST).splitlines()
    assert "accuracy" in head and "public score" in head
    assert commit.split()[:4] == ["main", "linear", "[4]", "[0]"] and "0.9137" in commit
    told = [("quick", "better", " to 0."), ("folds", "recipes.linear.epochs=1", "worse", " to 0."), ("later", "Queued")]
    for row, words in zip(others, told, strict=True):
        assert all(word in row for word in words), row
    assert "0.9" not in others[-1]
