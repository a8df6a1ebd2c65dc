"""The results of a run that the pictures and the report are made from."""

from pathlib import Path
from typing import Any, TextIO

import pandas as pd


def read_predictions(file: Path | TextIO) -> pd.DataFrame:
    """Return the out-of-fold predictions, one row per validation image.

    The index is that of the image among the labelled ones. The columns are `label` and `predicted`, as text, and
    `confidence`, in [0, 1].
    """
    types = {"row": int, "label": str, "predicted": str, "confidence": float}
    predicted = pd.read_csv(file, dtype=types, keep_default_na=False, index_col="row")
    return predicted.set_index(predicted.index - 1)  # rows of the file are counted from 1


def wrong_predictions(predicted: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `read_predictions` whose prediction is not the label."""
    return predicted[predicted["label"] != predicted["predicted"]]


def top_confusions(predicted: pd.DataFrame, count: int = 3) -> list[tuple[str, str, int]]:
    """Return the most frequent mistakes: label, predicted label, and how often."""
    pairs = wrong_predictions(predicted).groupby(["label", "predicted"]).size()
    top = pairs.sort_values(ascending=False, kind="stable").head(count).reset_index(name="times")
    return [(str(label), str(wrong), int(times)) for label, wrong, times in top.to_numpy()]


def read_table(file: Path) -> list[dict[Any, Any]]:
    """Return the rows of a CSV file by column; classes are text, whatever they look like."""
    text = dict.fromkeys(("class", "label", "predicted"), str)
    return pd.read_csv(file, dtype=text, keep_default_na=False, na_values=[""]).to_dict("records")


def read_curves(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the learning curve of each member: columns `epoch`, `train` and `validation`."""
    return {file.stem: pd.read_csv(file) for file in sorted(folder.glob("*.csv"))}
