"""Score the ensemble, each of its members and each pair of them, on the validation set."""

from pathlib import Path

from src.core import cli, metrics, tables
from src.data import images
from src.evaluation.scores import Scores
from src.inference import ensemble, predictions
from src.models import device
from src.models.determinism import repeatable


def main(
    validation_dir: Path,
    models_dir: Path,
    predictions_csv: Path,
    classes_csv: Path,
    members_csv: Path,
    pairs_csv: Path,
    metrics_json: Path,
) -> None:
    validation_set = images.open_set(validation_dir)
    if len(validation_set) == 0:
        print("There is no accuracy: split.train_fraction leaves no validation set.")
    scores = Scores()
    with tables.writing(predictions_csv) as append, repeatable():
        for predicted in ensemble.predict_in_blocks(models_dir, validation_set.images, device.selected()):
            labels = validation_set.known_labels[scores.images : scores.images + len(predicted)]
            append(predictions.with_labels(predicted, labels))
            scores.add(predicted, labels)
    tables.write(classes_csv, scores.of_classes())
    tables.write(members_csv, scores.of_members())
    tables.write(pairs_csv, scores.of_pairs())
    metrics.write(metrics_json, scores.metrics())


if __name__ == "__main__":
    cli.run(main)
