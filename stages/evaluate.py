"""Score the out-of-fold predictions in total, for each class and for each network."""

from pathlib import Path

import numpy as np

from src.core import arrays, cli, metrics, params, tables
from src.data import images
from src.evaluation import mistakes
from src.evaluation.scores import Scores
from src.inference import members


def main(
    labelled_dir: Path,
    out_of_fold_npy: Path,
    predictions_csv: Path,
    mistakes_csv: Path,
    classes_csv: Path,
    members_csv: Path,
    metrics_json: Path,
) -> None:
    labelled, out_of_fold = images.open_set(labelled_dir), np.load(out_of_fold_npy, mmap_mode="r")
    folds, seeds = params.get("folds", members.Folds).root, params.get("seeds", members.Seeds).root
    scores = Scores(np.unique(labelled.known_labels), sorted(folds), sorted(seeds))
    start, wrong = 0, []
    with tables.writing(predictions_csv) as append:
        for part in arrays.parts(out_of_fold, doing="scoring the predictions"):
            block = slice(start, start + len(part))
            rows = scores.add(part, labelled.known_labels[block], labelled.known_folds[block], start)
            append(rows)
            wrong.append(mistakes.wrong_rows(rows))
            start += len(part)
    of_members = scores.of_members()
    if len(accuracy := of_members["accuracy"]) > 1:
        mean, deviation = accuracy.mean(), accuracy.std(ddof=1)
        print(f"accuracy of the {len(accuracy)} networks: mean {mean:.4f}, standard deviation {deviation:.4f}")
    ranked = mistakes.rank(wrong)
    doubtful = ranked["doubtful"]
    print(f"{len(doubtful)} mistakes, {doubtful.sum()} with a margin of {mistakes.DOUBTFUL} or more: {mistakes_csv}")
    tables.write(mistakes_csv, ranked)
    tables.write(classes_csv, scores.of_classes())
    tables.write(members_csv, of_members)
    metrics.write(metrics_json, scores.metrics())


if __name__ == "__main__":
    cli.run(main)
