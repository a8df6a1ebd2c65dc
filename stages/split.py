"""Split the labelled images into a training set and a validation set."""

from pathlib import Path

from src.core import cli, metrics, params, tables
from src.data import competition, images
from src.preparation.splitting import SplitParams, split


def main(raw_dir: Path, split_dir: Path, classes_csv: Path, metrics_json: Path) -> None:
    labelled = competition.read_labelled(raw_dir)
    sets = split(labelled, params.get("split", SplitParams))
    images.write_sets(split_dir, sets.items())
    tables.write(classes_csv, images.class_balance(sets))
    metrics.write(metrics_json, {f"{name}_images": len(image_set) for name, image_set in sets.items()})


if __name__ == "__main__":
    cli.run(main)
