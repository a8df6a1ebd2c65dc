"""Predict the labels of the test images, in the form that Kaggle accepts."""

from pathlib import Path

from src.core import cli, metrics, tables
from src.core.arrays import NpyWriter
from src.core.outputs import replacing
from src.data import competition, images
from src.inference import ensemble
from src.inference.predictions import Summary
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
    summary = Summary()
    with (
        competition.writing_submission(submission_csv, sample_submission_csv) as append_labels,
        replacing(probabilities_npy) as temporary,
        NpyWriter(temporary) as probabilities,
        repeatable(),
    ):
        for predicted in ensemble.predict_in_blocks(models_dir, test_set.images, device.selected()):
            append_labels(predicted.labels)
            probabilities.append(predicted.probabilities)
            summary.add(predicted)
    with replacing(preprocessed_npy) as temporary, NpyWriter(temporary) as preprocessed:
        preprocessed.append(ensemble.preprocess(models_dir, test_set.images[:PICTURED]))
    tables.write(classes_csv, summary.class_counts)
    metrics.write(metrics_json, {"mean_confidence": summary.mean_confidence})


if __name__ == "__main__":
    cli.run(main)
