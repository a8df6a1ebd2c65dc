"""Scale the pixels of all sets to [0, 1]."""

from pathlib import Path

from src.core import cli, metrics
from src.core.outputs import replacing
from src.data import competition, images
from src.preparation.normalizing import write_normalized


def main(raw_dir: Path, split_dir: Path, normalized_dir: Path, metrics_json: Path) -> None:
    sets = {name: images.open_set(split_dir / name) for name in ("train", "validation")}
    with replacing(normalized_dir) as folder:
        folder.mkdir()
        sets["test"] = competition.read_unlabelled(raw_dir, scratch_dir=folder)
        statistics = {name: write_normalized(folder / name, image_set) for name, image_set in sets.items()}
    metrics.write(metrics_json, statistics)


if __name__ == "__main__":
    cli.run(main)
