"""Predict the labels of the test images, in the form that Kaggle accepts."""

from pathlib import Path

from src.core import cli, metrics, tables
from src.data import competition, images
from src.inference import ensemble, predictions
from src.models import device
from src.models.determinism import repeatable

PICTURED = 20  # images of which `draw` shows what preprocessing makes of them


def main(
    sample_submission_csv: Path,
    test_dir: Path,
    models_dir: Path,
    submission_csv: Path,
    probabilities_npy: Path,
    preprocessed_npy: Path,
    classes_csv: Path,
    metrics_json: Path,
) -> None:
    test_set = images.open_set(test_dir)
    with repeatable():
        predicted = ensemble.predict(models_dir, test_set.images, device.selected())
    competition.write_submission(submission_csv, sample_submission_csv, predicted.labels)
    predictions.write_array(probabilities_npy, predicted.probabilities)
    predictions.write_array(preprocessed_npy, ensemble.preprocess(models_dir, test_set.images[:PICTURED]))
    tables.write(classes_csv, predictions.class_counts(predicted))
    metrics.write(metrics_json, {"mean_confidence": predicted.mean_confidence})


if __name__ == "__main__":
    cli.run(main)
