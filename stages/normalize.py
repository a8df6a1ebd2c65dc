"""Scale the pixels of the labelled and the test images to [0, 1]."""

from pathlib import Path

from src.core import cli, metrics
from src.core.outputs import replacing
from src.data import images
from src.preparation.scaling import write_normalized


def main(split_dir: Path, labelled_dir: Path, test_dir: Path, metrics_json: Path) -> None:
    count = 0
    for normalized_dir in (labelled_dir, test_dir):
        image_set = images.open_set(split_dir / normalized_dir.name)
        with replacing(normalized_dir) as folder:
            write_normalized(folder, image_set)
        count += len(image_set)
    metrics.write(metrics_json, {"images": count})


if __name__ == "__main__":
    cli.run(main)
