"""Cut the labelled images into a training set and a validation set."""

from pathlib import Path

from src import cli, competition, images, jsonfile, params
from src.splitting import SplitParams, split, summary


def main(raw_dir: Path, split_dir: Path, metrics_json: Path) -> None:
    labelled = competition.read_labelled(raw_dir)
    sets = split(labelled, params.load("split", SplitParams))
    images.save(split_dir, sets.items())
    jsonfile.write(metrics_json, summary(sets))


if __name__ == "__main__":
    cli.run(main)
