"""Predict the test images, in the form that Kaggle takes."""

from pathlib import Path

from src import cli, competition, device, images, jsonfile, params, prediction
from src.inference import predict
from src.seeds import Seeds, keep_only


def main(
    sample_submission_csv: Path,
    test_dir: Path,
    models_dir: Path,
    submission_csv: Path,
    probabilities_npy: Path,
    metrics_json: Path,
) -> None:
    seeds = params.load("seeds", Seeds).root
    keep_only(seeds, models_dir)
    predicted = predict(models_dir, seeds, images.load(test_dir).images, device.load())
    competition.write_submission(submission_csv, sample_submission_csv, predicted.labels)
    prediction.write_probabilities(probabilities_npy, predicted)
    jsonfile.write(metrics_json, prediction.summary(predicted))


if __name__ == "__main__":
    cli.run(main)
