"""The table of `make experiments`."""

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
def test_experiments_are_listed_and_one_in_the_queue_has_no_score(reproduced: Project) -> None:
    reproduced.run("dvc", "exp", "run", "--quiet", "--name", "short", "-S", "recipes.linear.epochs=1", "evaluate")
    reproduced.run("dvc", "exp", "run", "--queue", "--name", "later", "-S", "recipe=quick")
    commit, short, later = reproduced.run(*LIST).splitlines()[1:]
    assert commit.split()[:4] == ["main", "linear", "[4]", "[0]"] and "0.9175" in commit
    assert "recipes.linear.epochs=1" in short and "short" in short and " to 0." in short and "worse" in short
    assert "later" in later and "Queued" in later and "0.9" not in later
