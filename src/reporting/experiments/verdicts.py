"""How each experiment compares with the last commit."""

from dataclasses import dataclass

from src.reporting import comparison
from src.reporting.comparison import SIGNIFICANCE
from src.reporting.experiments.listed import Experiments

NOT_COMPARED = "not compared"


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
