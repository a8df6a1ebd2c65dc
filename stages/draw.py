"""Draw pictures of the data, the training and the predictions."""

from pathlib import Path

import numpy as np
import pandas as pd

from src.core import cli
from src.data import images
from src.reporting.pictures import datasets, evaluation, predictions, results, style, training


def main(
    normalized_dir: Path,
    models_dir: Path,
    predictions_dir: Path,
    curves_dir: Path,
    members_csv: Path,
    pictures_dir: Path,
) -> None:
    labelled, test = (images.open_set(normalized_dir / name) for name in ("labelled", "test"))
    classes = np.unique(labelled.known_labels)
    predicted = results.read_predictions(predictions_dir / "validation.csv")
    wrong = results.read_predictions(predictions_dir / "mistakes.csv")
    of_members = np.load(predictions_dir / "test.npy", mmap_mode="r")
    preprocessed = np.load(predictions_dir / "preprocessed.npy")
    curves = {quantity: results.read_curves(curves_dir / quantity) for quantity in ("loss", "accuracy")}
    with style.applied():
        pictures = {
            "digits": datasets.labelled_images(labelled),
            "balance": datasets.class_balance(labelled),
            "pixels": datasets.pixel_values({"labelled": labelled, "test": test}),
            "means": datasets.mean_images(labelled),
            "curves": training.learning_curves(curves["loss"], curves["accuracy"]),
            "weights": training.linear_weights(models_dir, classes),
            "members": evaluation.error_rates(pd.read_csv(members_csv)),
            "confusion": evaluation.confusion_matrix(predicted, classes),
            "reliability": evaluation.reliability_diagram(predicted),
            "mistakes": evaluation.mistakes(labelled, wrong),
            "least_confident": evaluation.least_confident(labelled, predicted),
            "preprocessing": predictions.before_and_after(test, preprocessed),
            "predictions": predictions.least_confident(test, of_members, classes),
        }
        style.write(pictures_dir, pictures)


if __name__ == "__main__":
    cli.run(main)
