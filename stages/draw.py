"""Draw what the other stages wrote."""

from pathlib import Path

import numpy as np

from src.core import cli
from src.data import images
from src.reporting.pictures import datasets, evaluation, predictions, results, style, training


def main(normalized_dir: Path, models_dir: Path, predictions_dir: Path, curves_dir: Path, pictures_dir: Path) -> None:
    train, validation, test = (images.open_set(normalized_dir / name) for name in ("train", "validation", "test"))
    classes = images.classes_of(train, validation)
    predicted = results.read_predictions(predictions_dir / "validation.csv")
    probabilities = np.load(predictions_dir / "probabilities.npy", mmap_mode="r")
    preprocessed = np.load(predictions_dir / "preprocessed.npy")
    curves = {quantity: results.read_curves(curves_dir / quantity) for quantity in ("loss", "accuracy")}
    with style.applied():
        pictures = {
            "digits": datasets.labelled_images(train),
            "balance": datasets.class_balance(train, validation),
            "pixels": datasets.pixel_values({"training": train, "validation": validation, "test": test}),
            "means": datasets.mean_images(train),
            "curves": training.learning_curves(curves["loss"], curves["accuracy"]),
            "weights": training.linear_weights(models_dir, classes),
            "confusion": evaluation.confusion_matrix(predicted, classes),
            "reliability": evaluation.reliability_diagram(predicted),
            "mistakes": evaluation.confident_mistakes(validation, predicted),
            "least_confident": evaluation.least_confident(validation, predicted),
            "preprocessing": predictions.before_and_after(test, preprocessed),
            "predictions": predictions.least_confident(test, probabilities, classes),
        }
        style.write(pictures_dir, pictures)


if __name__ == "__main__":
    cli.run(main)
