"""Scale the pixels of the labelled and the test images to [0, 1]."""

from pathlib import Path

from src.core import cli, metrics
from src.core.outputs import replacing
from src.data import images
from src.preparation.scaling import write_normalized


def main(split_dir: Path, labelled_dir: Path, test_dir: Path, metrics_json: Path) -> None:
    statistics = {}
    for normalized_dir in (labelled_dir, test_dir):
        with replacing(normalized_dir) as folder:
            statistics[normalized_dir.name] = write_normalized(folder, images.open_set(split_dir / normalized_dir.name))
    metrics.write(metrics_json, statistics)


if __name__ == "__main__":
    cli.run(main)
