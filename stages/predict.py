"""Predict the labels of the test images, in the form that Kaggle accepts."""

from pathlib import Path

from src.core import cli, metrics, tables
from src.data import competition, images
from src.inference import ensemble, predictions
from src.models import device


def main(
    sample_submission_csv: Path,
    test_dir: Path,
    models_dir: Path,
    submission_csv: Path,
    probabilities_npy: Path,
    classes_csv: Path,
    metrics_json: Path,
) -> None:
    predicted = ensemble.predict(models_dir, images.open_set(test_dir).images, device.selected())
    competition.write_submission(submission_csv, sample_submission_csv, predicted.labels)
    predictions.write_probabilities(probabilities_npy, predicted)
    tables.write(classes_csv, predictions.class_counts(predicted))
    metrics.write(metrics_json, {"mean_confidence": predicted.mean_confidence})


if __name__ == "__main__":
    cli.run(main)
