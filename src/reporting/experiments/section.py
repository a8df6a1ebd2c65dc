"""What the section of the report about the experiments says, without its pictures."""

from collections import Counter
from typing import Any

from src.core.errors import UserError
from src.reporting.experiments import listed, verdicts
from src.reporting.experiments.listed import DRAWN, NONE, UNFINISHED, Experiments


def describe() -> dict[str, Any]:
    """Return the experiments as `listed.collect` has `found` them, with their `verdicts`, and as `rows` of a table.

    `count` is a sentence with their number in each state, `left_out` how many are not drawn, and `not_compared` has the
    names of those without a verdict.
    """
    try:
        found = listed.collect()
    except UserError as error:
        return {"count": f"{error}.", "rows": [], "not_compared": []}
    if found is None:
        return {"count": f"{NONE}.", "rows": [], "not_compared": []}
    judged = [*zip(found.finished, verdicts.judge(found), strict=True)]
    return {
        "found": found,
        "verdicts": [verdict for _, verdict in judged],
        "count": count(found),
        "left_out": max(0, len(judged) - DRAWN),
        "not_compared": [one.name for one, verdict in judged if verdict.p is None],
        "rows": [
            {"experiment": one.label(found.commit), "accuracy": one.evaluation["accuracy"],
             "interval": f"{one.evaluation['ci_low']:.4f} to {one.evaluation['ci_high']:.4f}",
             "verdict": verdict.judgement,
             "p": "—" if verdict.p is None else "< 0.001" if verdict.p < 0.001 else f"{verdict.p:.3f}",
             "holm": "yes" if verdict.holds else "no"}
            for one, verdict in judged
        ],
    }  # fmt: skip


def count(found: Experiments) -> str:
    """Return a sentence with the number of experiments in each state."""
    states = Counter(one.state for one in found.unfinished)
    counts = {"finished": len(found.finished), **{state.lower(): states[state] for state in UNFINISHED}}
    said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"Experiments since the last commit: {said}."
