"""Train the recipe's model with one seed."""

from pathlib import Path

from src import cli, curves, device, images, jsonfile, recipes
from src.trained import save
from src.training import train


def main(
    seed: int,
    train_dir: Path,
    validation_dir: Path,
    model_file: Path,
    loss_csv: Path,
    accuracy_csv: Path,
    metrics_json: Path,
) -> None:
    train_set, validation_set = (images.load(folder) for folder in (train_dir, validation_dir))
    trained, curve = train(recipes.load(), seed, train_set, validation_set, device.load())
    save(model_file, trained)
    curves.write(loss_csv, curve, "loss")
    curves.write(accuracy_csv, curve, "accuracy")
    jsonfile.write(metrics_json, curves.summary(curve))


if __name__ == "__main__":
    cli.run(main)
