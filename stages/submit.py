"""Submit the predictions, if they are good enough, and record their score, or that they were refused."""

import sys
from pathlib import Path

from src.core import cli, metrics, params
from src.sources import interface
from src.sources.locking import exclusive
from src.sources.submission import Refusals, SubmitParams, submit


def main(submission_csv: Path, evaluation_json: Path, metrics_json: Path, refusals_yaml: Path, refusals: int) -> None:
    source, settings = interface.selected(), params.get("submit", SubmitParams)
    accuracy = metrics.read(evaluation_json)["accuracy"]
    earlier = Refusals.read(refusals_yaml)
    try:
        with exclusive("submit", source.lock):
            score = submit(source, submission_csv, accuracy, settings)
    except interface.Refused as refused:
        print(f"error: not submitted: {refused}", file=sys.stderr)
        # DVC gave the number when it started; a refusal that another run wrote since then counts as well
        Refusals(refusals=max(refusals, earlier.refusals) + 1, reason=str(refused)).write(refusals_yaml)
        metrics.write(metrics_json, {"refused": 1})
    else:
        if earlier.reason:
            Refusals(refusals=refusals, reason="").write(refusals_yaml)
        metrics.write(metrics_json, {} if score is None else {"public_score": score})


if __name__ == "__main__":
    cli.run(main)
