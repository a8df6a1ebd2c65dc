"""Score the models of all seeds, and their ensemble, on the validation set."""

from pathlib import Path

from src import cli, device, images, jsonfile, params, prediction
from src.inference import predict
from src.scoring import score
from src.seeds import Seeds, keep_only


def main(
    validation_dir: Path, models_dir: Path, compared_csv: Path, train_metrics_dir: Path, metrics_json: Path
) -> None:
    seeds = params.load("seeds", Seeds).root
    keep_only(seeds, models_dir, train_metrics_dir)
    validation_set = images.load(validation_dir)
    if len(validation_set) == 0:
        print("There is no accuracy: split.train_fraction leaves no validation set.")
    predicted = predict(models_dir, seeds, validation_set.images, device.load())
    prediction.write_compared(compared_csv, predicted, validation_set.known_labels)
    jsonfile.write(metrics_json, score(predicted, validation_set.known_labels))


if __name__ == "__main__":
    cli.run(main)
