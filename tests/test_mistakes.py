"""Labels that the out-of-fold predictions contradict are found, the most doubtful first."""

from typing import Any

import numpy as np
import pandas as pd

from src.evaluation import mistakes
from tests.conftest import Project

COLUMNS = ["row", "label", "predicted", "label_probability", "confidence"]


def ranked_of(*blocks: list[list[Any]]) -> pd.DataFrame:
    columns = [[*zip(*rows, strict=True)] or [[]] * len(COLUMNS) for rows in blocks]
    return pd.DataFrame(mistakes.rank([dict(zip(COLUMNS, map(np.array, one), strict=True)) for one in columns]))


def test_mistakes_are_ranked_by_their_margin_and_from_a_half_on_the_label_is_doubtful() -> None:
    rows = [
        [2, "a", "b", 0.2, 0.75], [4, "b", "a", 0.3, 0.6], [6, "c", "b", 0.29, 0.69], [7, "c", "a", 0.05, 0.75],
        [9, "c", "b", 0.25, 0.75],
    ]  # fmt: skip
    ranked = ranked_of(rows[:2], rows[2:])
    assert ranked[["row", "doubtful"]].to_numpy().tolist() == [[7, 1], [2, 1], [9, 1], [6, 0], [4, 0]]
    assert ranked[COLUMNS].to_numpy().tolist() == [rows[number] for number in (3, 0, 4, 2, 1)]


def test_there_may_be_no_mistake() -> None:
    assert ranked_of([]).empty


def test_the_table_has_the_wrong_predictions_of_the_run(finished: Project) -> None:
    folder = finished.root / "data/predictions"
    rows, ranked = pd.read_csv(folder / "validation.csv"), pd.read_csv(folder / "mistakes.csv")
    wrong = rows[rows["label"] != rows["predicted"]]
    assert len(ranked) == finished.metrics("evaluate")["errors"]
    pd.testing.assert_frame_equal(ranked.sort_values("row", ignore_index=True)[COLUMNS], wrong.reset_index(drop=True))
