"""Small real competitions for the server: the 8x8 digits that come with scikit-learn."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from src.data.competition import reading
from src.data.images import ImageSet
from tests.kaggle_server import Competition

LABELLED, TO_PREDICT = 500, 100


def read_labelled(raw_dir: Path) -> ImageSet:
    """Return the images and labels of `train.csv`."""
    labels = reading.write_labelled(raw_dir, raw_dir / "labelled.npy")
    return ImageSet(np.load(raw_dir / "labelled.npy"), labels)


def read_test(raw_dir: Path) -> ImageSet:
    """Return the images of `test.csv`, in the order of `sample_submission.csv`."""
    reading.write_test(raw_dir, raw_dir / "test.npy")
    return ImageSet(np.load(raw_dir / "test.npy"))


@cache
def digits() -> Competition:
    """Return a competition with the column names of Kaggle's, in other sizes."""
    train, test, answers = _parts()
    ids = range(1, TO_PREDICT + 1)
    return _competition("small-digits", train, test, pd.DataFrame({"ImageId": ids, "Label": answers}))


@cache
def letters() -> Competition:
    """Return one that differs in all that may differ.

    Another name, other columns, ids in `test.csv` in another order than in `sample_submission.csv`, shuffled pixel
    columns, labels that do not start at 0.
    """
    train, test, answers = _parts()
    train["label"] += 3
    train = train.rename(columns={"label": "kind"})[[*train.columns[:0:-1], "kind"]]
    ids = pd.Series(range(9000, 9000 + TO_PREDICT)).sample(frac=1, random_state=0).to_numpy()
    test.insert(0, "id", ids)
    expected = pd.DataFrame({"id": ids, "label": answers + 3}).sort_values("id")
    return _competition("kinds-of-digits", train, test, expected)


def _parts() -> tuple[pd.DataFrame, pd.DataFrame, "pd.Series[int]"]:
    pixels, labels = load_digits(return_X_y=True)
    rows = pd.DataFrame((pixels * 15).astype(int), columns=[f"pixel{index}" for index in range(pixels.shape[1])])
    rows.insert(0, "label", labels)
    train, test = rows[:LABELLED], rows[LABELLED : LABELLED + TO_PREDICT].reset_index(drop=True)
    return train.copy(), test.drop(columns="label"), test["label"]


def _competition(name: str, train: pd.DataFrame, test: pd.DataFrame, expected: pd.DataFrame) -> Competition:
    id_, prediction = expected.columns
    files = {"train.csv": train, "test.csv": test, "sample_submission.csv": expected.assign(**{prediction: 0})}
    return Competition(
        name,
        {name: rows.to_csv(index=False).encode() for name, rows in files.items()},
        dict(zip(expected[id_].astype(str), expected[prediction].astype(str), strict=True)),
    )
