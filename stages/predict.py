"""Predict the labelled images out of fold, and the test images in the format of the submission."""

from pathlib import Path

import numpy as np

from src.core import arrays, cli, metrics, tables
from src.core.arrays import NpyWriter
from src.core.outputs import replacing
from src.data import images
from src.data.competition.files import SAMPLE_SUBMISSION
from src.data.competition.submission import writing_submission
from src.inference import ensemble
from src.models import device, preprocessing
from src.models.determinism import repeatable


def main(
    raw_dir: Path,
    normalized_dir: Path,
    models_dir: Path,
    out_of_fold_npy: Path,
    test_npy: Path,
    preprocessed_npy: Path,
    submission_csv: Path,
    classes_csv: Path,
    metrics_json: Path,
) -> None:
    labelled, test = (images.open_set(normalized_dir / name) for name in ("labelled", "test"))
    members = ensemble.read(models_dir)
    with repeatable():
        predictor = ensemble.Ensemble(members, device.selected())
        arrays.write(out_of_fold_npy, predictor.out_of_fold(labelled))
        counts = np.zeros(len(predictor.classes), dtype=np.int64)
        with (
            writing_submission(submission_csv, raw_dir / SAMPLE_SUBMISSION) as append_labels,
            replacing(test_npy) as temporary,
            NpyWriter(temporary) as of_members,
        ):
            for probabilities in predictor.predict(test.images):
                of_members.append(probabilities)
                predicted = probabilities.mean(axis=1).argmax(axis=1)
                append_labels(predictor.classes[predicted])
                counts += np.bincount(predicted, minlength=len(counts))
    arrays.write(preprocessed_npy, preprocessing.batches(test.images[:20], members[0].recipe.preprocessing, 20))
    tables.write(classes_csv, {"class": predictor.classes, "images": counts})
    metrics.write(metrics_json, {"images": len(test)})


if __name__ == "__main__":
    cli.run(main)
