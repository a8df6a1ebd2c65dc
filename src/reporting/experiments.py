"""Print the experiments since the last commit, the most accurate first: `python -m src.reporting.experiments`."""

from dataclasses import dataclass

import pandas as pd

from src.core import cli
from src.reporting import comparison, experiment_list
from src.reporting.comparison import SIGNIFICANCE
from src.reporting.experiment_list import RUNNING, Experiment, Experiments, value_text, written

NONE = "There is no experiment since the last commit. Run one: dvc exp run -S recipe=mlp"
OWN_COLUMNS = ("recipe", "folds", "seeds")
NOT_COMPARED = "not compared"
DRAWN = 30  # experiments in the picture, the most accurate


@dataclass(frozen=True)
class Verdict:
    """How an experiment compares with the last commit.

    Attributes:
        judgement: `better`, `worse` or `undecided`, by McNemar's exact test at the 5 % level on the images that both
            validated; or `not compared`, where there is no such image or DVC's cache lacks the predictions.
        p: the p-value; None if not compared.
        holds: whether it is better or worse also with Holm's correction over all experiments.
    """

    judgement: str
    p: float | None = None
    holds: bool = False


def main() -> None:
    """Print a row for the last commit and each experiment.

    Raises:
        UserError: DVC cannot list the experiments.
    """
    found = experiment_list.collect()
    if found is None:
        print(NONE)
        return
    print(table(found, judge(found)).to_string(index=False))
    if any(one.state == RUNNING for one in found.unfinished):
        print("If an experiment that was killed is shown as running, clear it: dvc queue kill NAME")
    print("`make report` draws them in report.html.")


def judge(found: Experiments) -> list[Verdict]:
    """Return the verdict on each experiment that has finished."""
    of_commit = found.commit.predicted()
    pairs = [comparison.pair(of_commit, one.predicted()) for one in found.finished]
    adjusted = iter(comparison.holm([paired.p for paired in pairs if paired is not None]))
    return [
        Verdict(NOT_COMPARED) if paired is None
        else Verdict(paired.judgement, paired.p, next(adjusted) < SIGNIFICANCE)
        for paired in pairs
    ]  # fmt: skip


def table(found: Experiments, verdicts: list[Verdict]) -> pd.DataFrame:
    """Return the last commit, the experiments that have finished and the others, as text."""
    commit = found.commit
    rows = [_described(commit, commit, "")]
    rows += [_described(one, commit, verdict.judgement) for one, verdict in zip(found.finished, verdicts, strict=True)]
    rows += [_described(one, commit, "") for one in found.unfinished]
    return pd.DataFrame(rows).fillna("").astype(str)


def _described(one: Experiment, commit: Experiment, judgement: str) -> dict[str, str]:
    changed = [written(change) for change in one.changed(commit) if change.name not in OWN_COLUMNS]
    described = {
        "experiment": one.name,
        **{key: value_text(one.params[key]) for key in OWN_COLUMNS},
        "also changed": ", ".join(changed),
        "state": one.state,
    }
    if one.evaluation:
        described |= {
            "accuracy": f"{one.evaluation['accuracy']:.4f}",
            "95 % interval": f"{one.evaluation['ci_low']:.4f} to {one.evaluation['ci_high']:.4f}",
            "vs commit": judgement,
            "public score": "" if one.public_score is None else str(one.public_score),
        }
    return described


if __name__ == "__main__":
    cli.run(main)
