"""Submit the predictions, if they are good enough, and record their score, or that they were refused."""

import sys
from collections.abc import Mapping
from pathlib import Path

from src.core import cli, metrics, params
from src.sources import history, interface
from src.sources.locking import exclusive
from src.sources.submission import Outcome, Refusals, SubmitParams, submit


def main(
    submission_csv: Path,
    evaluation_json: Path,
    metrics_json: Path,
    refusals_yaml: Path,
    history_csv: Path,
    refusals: int,
) -> None:
    source, settings = interface.selected(), params.get("submit", SubmitParams)
    evaluation = metrics.read(evaluation_json)
    earlier = Refusals.read(refusals_yaml)
    try:
        with exclusive("submit", source.lock):
            outcome = submit(source, submission_csv, evaluation["accuracy"], settings)
    except interface.Refused as refused:
        print(f"error: not submitted: {refused}", file=sys.stderr)
        # DVC gave the number when it started; a refusal that another run wrote since then counts as well
        Refusals(refusals=max(refusals, earlier.refusals) + 1, reason=str(refused)).write(refusals_yaml)
        metrics.write(metrics_json, {"refused": 1})
    else:
        if earlier.reason:
            Refusals(refusals=refusals, reason="").write(refusals_yaml)
        run = _run(evaluation, outcome) if outcome.sha256 else None
        history.record(history_csv, params.get("source", str), run, outcome.earlier)
        metrics.write(metrics_json, {} if outcome.score is None else {"public_score": outcome.score})


def _run(evaluation: Mapping[str, float], outcome: Outcome) -> Mapping[str, object]:
    numbers = {key: " ".join(map(str, sorted(params.get(key, list)))) for key in ("folds", "seeds")}
    score = "" if outcome.score is None else outcome.score
    of_run = {"recipe": params.get("recipe", str), **numbers, "public_score": score, "sha256": outcome.sha256}
    return of_run | {name: evaluation[name] for name in ("images", "accuracy", "ci_low", "ci_high")}


if __name__ == "__main__":
    cli.run(main)
