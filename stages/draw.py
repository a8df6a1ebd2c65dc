"""Draw what the other stages wrote: all pictures are made here, so a new colour trains nothing again."""

from pathlib import Path

import numpy as np

from src import cli, curves, drawing, images, params, prediction, trained
from src.outputs import replacing
from src.seeds import Seeds, keep_only


def main(
    normalized_dir: Path,
    models_dir: Path,
    compared_csv: Path,
    probabilities_npy: Path,
    loss_dir: Path,
    accuracy_dir: Path,
    pictures_dir: Path,
) -> None:
    seeds = params.load("seeds", Seeds).root
    keep_only(seeds, models_dir, loss_dir, accuracy_dir)
    train_set, validation_set, test_set = (
        images.load(normalized_dir / name) for name in ("train", "validation", "test")
    )
    model = trained.load(models_dir / f"{seeds[0]}.safetensors")
    compared = prediction.read_compared(compared_csv)
    probabilities = np.load(probabilities_npy)
    pictures = {
        "digits": drawing.digits(train_set),
        "balance": drawing.balance(train_set, validation_set),
        "pixels": drawing.pixels({"training": train_set, "validation": validation_set, "test": test_set}),
        "means": drawing.means(train_set),
        "curves": drawing.learning_curves(curves.read(loss_dir, seeds), curves.read(accuracy_dir, seeds)),
        "weights": drawing.weights(model, seeds[0]),
        "confusion": drawing.confusion(compared, images.classes(train_set, validation_set)),
        "reliability": drawing.reliability(compared),
        "mistakes": drawing.mistakes(validation_set, compared),
        "doubtful": drawing.doubtful(validation_set, compared),
        "predictions": drawing.predictions(test_set, probabilities, model.classes),
    }
    with replacing(pictures_dir) as folder:
        drawing.save(folder, pictures)


if __name__ == "__main__":
    cli.run(main)
