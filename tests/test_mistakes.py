"""Labels that the out-of-fold predictions contradict are found, the most doubtful first."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import full_data
from src.evaluation.mistakes import mistakes
from tests.conftest import Project

CLASSES = np.array(["a", "b", "c"])


def test_a_label_is_doubtful_if_another_class_is_as_probable_as_it_is_where_it_is_the_label() -> None:
    # the mean probability of "b" on the images labelled "b" is 0.7, and that of "a" on those labelled "a" 0.55
    rows = [
        ("a", 0.90, 0.05), ("a", 0.20, 0.75), ("b", 0.15, 0.80), ("b", 0.30, 0.60), ("a", 0.55, 0.40),
        ("c", 0.02, 0.69), ("c", 0.60, 0.30), ("c", 0.10, 0.10), ("b", np.nan, np.nan),
    ]  # fmt: skip
    two = np.array([[first, second, 1 - first - second] for _, first, second in rows], dtype=np.float32)
    found = mistakes(np.stack([two, two], axis=1), np.array([label for label, _, _ in rows]), CLASSES)
    assert found[["row", "label", "predicted", "doubtful"]].to_numpy().tolist() == [
        [2, "a", "b", 1], [7, "c", "a", 1], [6, "c", "b", 0]
    ]  # fmt: skip
    assert found["label_probability"].to_numpy() == pytest.approx([0.2, 0.1, 0.29])
    assert found["confidence"].to_numpy() == pytest.approx([0.75, 0.6, 0.69])


def test_a_class_without_a_validation_image_makes_no_label_doubtful() -> None:
    probabilities = np.array([[[0.1, 0.8, 0.1]], [[0.7, 0.2, 0.1]]], dtype=np.float32)
    assert mistakes(probabilities, np.array(["a", "a"]), CLASSES)["doubtful"].tolist() == [0]


def test_the_probabilities_of_several_seeds_are_averaged() -> None:
    seeds = np.array([[[0.9, 0.1, 0], [0.0, 1.0, 0]], [[0.0, 0.7, 0.3], [0.2, 0.7, 0.1]]], dtype=np.float32)
    assert mistakes(seeds, np.array(["b", "a"]), CLASSES)["row"].tolist() == [2]


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
