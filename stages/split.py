"""Split the labelled images into a training set and a validation set."""

from pathlib import Path

from src.core import arrays, cli, metrics, params, tables
from src.core.outputs import replacing
from src.data import competition, images
from src.preparation.splitting import SplitParams, class_balance, split


def main(raw_dir: Path, split_dir: Path, classes_csv: Path, metrics_json: Path) -> None:
    with replacing(split_dir) as folder:
        folder.mkdir()
        labelled = competition.read_labelled(raw_dir, scratch_dir=folder)
        sets = split(len(labelled), params.get("split", SplitParams))
        labels = {name: labelled.known_labels[chosen] for name, chosen in sets.items()}
        for name, chosen in sets.items():
            images.write_set(folder / name, arrays.parts(labelled.images, order=chosen), labels[name])
    tables.write(classes_csv, class_balance(labels))
    metrics.write(metrics_json, {f"{name}_images": len(chosen) for name, chosen in sets.items()})


if __name__ == "__main__":
    cli.run(main)
