"""Score the ensemble, each of its members and each pair of them, on the validation set."""

from pathlib import Path

from src.core import cli, metrics, tables
from src.data import images
from src.evaluation import scores
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
    with repeatable():
        predicted = ensemble.predict(models_dir, validation_set.images, device.selected())
    predictions.write_with_labels(predictions_csv, predicted, validation_set.known_labels)
    tables.write(classes_csv, scores.score_classes(predicted, validation_set.known_labels))
    tables.write(members_csv, scores.score_members(predicted, validation_set.known_labels))
    tables.write(pairs_csv, scores.score_pairs(predicted, validation_set.known_labels))
    metrics.write(metrics_json, scores.score(predicted, validation_set.known_labels))


if __name__ == "__main__":
    cli.run(main)
