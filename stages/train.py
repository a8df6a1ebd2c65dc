"""Train the model of a recipe with one seed."""

from pathlib import Path

from src.core import cli, metrics
from src.data import images
from src.models import checkpoints, device, networks, recipes
from src.models.determinism import repeatable
from src.training import learning_curves
from src.training.loop import train


def main(
    recipe_name: str,
    seed: int,
    train_dir: Path,
    validation_dir: Path,
    checkpoint_file: Path,
    loss_csv: Path,
    accuracy_csv: Path,
    metrics_json: Path,
) -> None:
    recipe = recipes.get(recipe_name)
    train_set, validation_set = images.open_set(train_dir), images.open_set(validation_dir)
    with (
        repeatable(networks.THREADS.get(recipe.model)),
        learning_curves.written(loss_csv, accuracy_csv) as record,
    ):
        checkpoint, curve = train(recipe, seed, train_set, validation_set, device.selected(), record)
        checkpoints.write(checkpoint_file, checkpoint)
    metrics.write(metrics_json, learning_curves.final_metrics(curve))


if __name__ == "__main__":
    cli.run(main)
