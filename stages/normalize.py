"""Scale the pixels of the labelled and the test images to [0, 1]."""

from pathlib import Path

from src.core import cli, metrics
from src.core.outputs import replacing
from src.data import images
from src.data.competition import scale
from src.preparation import scaling


def main(split_dir: Path, labelled_dir: Path, test_dir: Path, metrics_json: Path) -> None:
    labelled, test = (images.open_set(split_dir / folder.name) for folder in (labelled_dir, test_dir))
    white = scale.find(scaling.brightest(labelled), scaling.brightest(test))
    for normalized_dir, image_set in ((labelled_dir, labelled), (test_dir, test)):
        with replacing(normalized_dir) as folder:
            scaling.write_normalized(folder, image_set, white)
    metrics.write(metrics_json, {"images": len(labelled) + len(test)})


if __name__ == "__main__":
    cli.run(main)
