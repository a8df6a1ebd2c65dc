"""Labels that the out-of-fold predictions contradict are found, the most doubtful first."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import full_data
from src.evaluation.mistakes import mistakes
from tests.conftest import Project

CLASSES = np.array(["a", "b", "c"])


def test_mistakes_are_ranked_by_their_margin_and_from_a_half_on_the_label_is_doubtful() -> None:
    rows = [
        ("a", 0.90, 0.05), ("a", 0.20, 0.75), ("b", 0.15, 0.80), ("b", 0.60, 0.30), ("a", 0.55, 0.40),
        ("c", 0.02, 0.69), ("c", 0.75, 0.20), ("c", 0.10, 0.10), ("b", np.nan, np.nan),
    ]  # fmt: skip
    probabilities = np.array([[first, second, 1 - first - second] for _, first, second in rows], dtype=np.float32)
    found = mistakes(probabilities[:, None], np.array([label for label, _, _ in rows]), CLASSES)
    assert found[["row", "label", "predicted", "doubtful"]].to_numpy().tolist() == [
        [7, "c", "a", 1], [2, "a", "b", 1], [6, "c", "b", 0], [4, "b", "a", 0]
    ]  # fmt: skip
    assert found["label_probability"].to_numpy() == pytest.approx([0.05, 0.2, 0.29, 0.3])
    assert found["confidence"].to_numpy() == pytest.approx([0.75, 0.75, 0.69, 0.6])


def test_the_probabilities_of_several_seeds_are_averaged() -> None:
    seeds = np.array([[[0.9, 0.1, 0], [0.0, 1.0, 0]], [[0.0, 0.7, 0.3], [0.2, 0.7, 0.1]]], dtype=np.float32)
    assert mistakes(seeds, np.array(["b", "a"]), CLASSES)["row"].tolist() == [2]


def test_there_may_be_no_mistake() -> None:
    assert mistakes(np.eye(3, dtype=np.float32)[:, None], CLASSES, CLASSES).empty


@pytest.mark.slow
@pytest.mark.skipif(full_data.find_zip() is None, reason=full_data.WHERE)
def test_of_fifty_labels_flipped_at_random_forty_five_are_among_the_first_hundred(project: Project) -> None:
    raw = project.root / "data" / "by-hand"
    full_data.unpack(full_data.required_zip(), raw)
    (raw / "labelled.npy").unlink()
    train = pd.read_csv(raw / "train.csv")
    generator = np.random.default_rng(0)
    flipped = generator.choice(len(train), 50, replace=False)
    train.loc[flipped, "label"] = (train.loc[flipped, "label"] + generator.integers(1, 10, 50)) % 10
    train.to_csv(raw / "train.csv", index=False)
    project.set({"source": "local", "recipe": "quick", "folds": [0, 1, 2, 3, 4]})
    project.run("dvc", "repro", "evaluate")
    found = pd.read_csv(project.root / "data" / "predictions" / "mistakes.csv")
    assert len({*found["row"][:100]} & {*(flipped + 1)}) >= 45
