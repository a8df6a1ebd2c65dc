"""Submit the predictions, if they are good enough, and record their score."""

from pathlib import Path

from src.core import cli, metrics, params
from src.sources import interface
from src.sources.locking import exclusive
from src.sources.submission import SubmitParams, submit


def main(submission_csv: Path, evaluation_json: Path, metrics_json: Path) -> None:
    accuracy = metrics.read(evaluation_json).get("accuracy")
    with exclusive("submit"):
        score = submit(interface.selected(), submission_csv, accuracy, params.get("submit", SubmitParams))
        metrics.write(metrics_json, {"submitted": 0} if score is None else {"submitted": 1, "public_score": score})


if __name__ == "__main__":
    cli.run(main)
