"""Bring the pixels of all sets to [0, 1]."""

from pathlib import Path

from src import cli, competition, images, jsonfile
from src.normalizing import normalize, summary


def main(raw_dir: Path, split_dir: Path, normalized_dir: Path, metrics_json: Path) -> None:
    sets = {name: images.load(split_dir / name) for name in ("train", "validation")}
    sets["test"] = competition.read_unlabelled(raw_dir)
    images.save(normalized_dir, ((name, normalize(one)) for name, one in sets.items()))
    jsonfile.write(metrics_json, {name: summary(one.images) for name, one in sets.items()})


if __name__ == "__main__":
    cli.run(main)
