"""Turn the CSV files into arrays, and assign every labelled image to a fold."""

from pathlib import Path

import numpy as np

from src.core import cli, metrics, params, tables
from src.core.outputs import replacing
from src.data.competition import reading
from src.data.images import EXCLUDED
from src.preparation.folds import SplitParams, assign, class_balance


def main(raw_dir: Path, split_dir: Path, classes_csv: Path, metrics_json: Path) -> None:
    with replacing(split_dir) as folder:
        labels = reading.write_labelled(raw_dir, folder / "labelled" / "images.npy")
        folds = assign(labels, params.get("split", SplitParams))
        np.save(folder / "labelled" / "labels.npy", labels)
        np.save(folder / "labelled" / "folds.npy", folds)
        reading.write_test(raw_dir, folder / "test" / "images.npy")
    tables.write(classes_csv, class_balance(labels, folds))
    excluded = int(np.sum(folds == EXCLUDED))
    smallest = int(np.bincount(folds[folds != EXCLUDED]).min())
    metrics.write(metrics_json, {"images": smallest} | ({"excluded": excluded} if excluded else {}))


if __name__ == "__main__":
    cli.run(main)
