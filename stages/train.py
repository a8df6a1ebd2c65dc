"""Train the network of one fold and one seed on all other folds, and validate it on its own fold."""

from pathlib import Path

from src.core import cli, metrics
from src.data import images
from src.models import checkpoints, device, networks, recipes
from src.models.determinism import repeatable
from src.training import launching, learning_curves, processes
from src.training.loop import train


def main(
    recipe_name: str,
    fold: int,
    seed: int,
    labelled_dir: Path,
    checkpoint_file: Path,
    loss_csv: Path,
    accuracy_csv: Path,
    metrics_json: Path,
) -> None:
    if launching.launched():
        return
    recipe, labelled, place = recipes.get(recipe_name), images.open_set(labelled_dir), device.selected()
    with processes.joined(place) as group, repeatable(networks.THREADS.get(recipe.model)):
        if not group.first:  # it takes its share of the work, and the first one writes
            train(recipe, fold, seed, labelled, place, processes=group)
            return
        with learning_curves.written(loss_csv, accuracy_csv) as record:
            checkpoint, curve = train(recipe, fold, seed, labelled, place, record, group)
            checkpoints.write(checkpoint_file, checkpoint)
            metrics.write(metrics_json, {"train_accuracy": curve[-1].train_accuracy})


if __name__ == "__main__":
    cli.run(main)
