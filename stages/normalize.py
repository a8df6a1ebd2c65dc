"""Scale the pixels of all sets to [0, 1]."""

from pathlib import Path

from src.core import cli, metrics
from src.data import competition, images
from src.preparation.normalizing import normalize, pixel_statistics


def main(raw_dir: Path, split_dir: Path, normalized_dir: Path, metrics_json: Path) -> None:
    sets = {name: images.open_set(split_dir / name) for name in ("train", "validation")}
    sets["test"] = competition.read_unlabelled(raw_dir)
    images.write_sets(normalized_dir, ((name, normalize(image_set)) for name, image_set in sets.items()))
    metrics.write(metrics_json, {name: pixel_statistics(image_set.images) for name, image_set in sets.items()})


if __name__ == "__main__":
    cli.run(main)
