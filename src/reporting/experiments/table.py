"""Print the experiments since the last commit, the most accurate first: `python -m src.reporting.experiments.table`."""

import pandas as pd

from src.core import cli
from src.reporting.experiments import listed
from src.reporting.experiments.listed import RUNNING, Experiment, Experiments, value_text, written
from src.reporting.experiments.verdicts import Verdict, judge

OWN_COLUMNS = ("recipe", "folds", "seeds")


def main() -> None:
    """Print a row for the last commit and each experiment.

    Raises:
        UserError: DVC cannot list the experiments.
    """
    found = listed.collect()
    if found is None:
        print(listed.NONE)
        return
    print(table(found, judge(found)).to_string(index=False))
    if any(one.state == RUNNING for one in found.unfinished):
        print("If an experiment that was killed is shown as running, clear it: dvc queue kill NAME")
    print("`make report` draws them in report.html.")


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
