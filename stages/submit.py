"""Submit the predictions, if they are worth it, and write down their score."""

from pathlib import Path

from src import cli, jsonfile, params, sources
from src.locking import alone
from src.submission import SubmitParams, submit


def main(submission_csv: Path, evaluation_json: Path, metrics_json: Path) -> None:
    accuracy = jsonfile.read(evaluation_json).get("accuracy")
    with alone("submit"):
        score = submit(sources.load(), submission_csv, accuracy, params.load("submit", SubmitParams))
        jsonfile.write(metrics_json, {"submitted": 0} if score is None else {"submitted": 1, "public_score": score})


if __name__ == "__main__":
    cli.run(main)
