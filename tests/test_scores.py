"""Our own scores, which need neither scikit-learn nor scipy, are theirs."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import log_loss, precision_recall_fscore_support

from src.evaluation.scores import Scores, interval

SMALL = 1e-12


def drawn(seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return probabilities, shape (n, seeds, C), and codes of labels, with what is rare among real ones.

    There are ties, probabilities of 0 and 1, and classes that never occur or are never predicted.
    """
    generator = np.random.default_rng(seed)
    count, networks, classes = generator.integers(1, 60), generator.integers(1, 4), generator.integers(2, 12)
    levels = generator.choice([2, 3, 1000])
    raw = generator.integers(0, levels, (count, networks, classes)).astype(np.float64) ** generator.choice([1, 4])
    raw[..., generator.integers(classes)] *= generator.integers(2)
    certain = generator.random((count, networks)) < 0.2
    raw[certain] = np.eye(classes)[generator.integers(classes, size=certain.sum())]
    raw[raw.sum(axis=-1) == 0] = 1
    codes = generator.integers(0, generator.integers(1, classes + 1), count)
    return (raw / raw.sum(axis=-1, keepdims=True)).astype(np.float32), codes


def expected_log_loss(probabilities: NDArray[np.float32], codes: NDArray[np.int64]) -> float:
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    return float(log_loss(codes, exact, labels=range(exact.shape[1])))


@pytest.mark.parametrize("seed", range(100))
def test_scores_are_those_of_scikit_learn(seed: int) -> None:
    probabilities, codes = drawn(seed)
    classes = np.array([f"class {code:02}" for code in range(probabilities.shape[2])])
    folds, seeds = np.full(len(codes), 3, dtype=np.uint8), range(probabilities.shape[1])
    scores = Scores(classes, [3], seeds)
    half = len(codes) // 2
    for block in (slice(None, half), slice(half, None)):
        scores.add(probabilities[block], classes[codes[block]], folds[block])

    mean = probabilities.mean(axis=1)
    assert scores.metrics()["log_loss"] == pytest.approx(expected_log_loss(mean, codes), rel=SMALL, abs=SMALL)
    found, rows = scores.of_classes(), pd.DataFrame(scores.of_members()).to_dict("records")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class without images
        expected: Any = precision_recall_fscore_support(
            codes, mean.argmax(axis=1), labels=range(len(classes)), zero_division=np.nan
        )
    for name, values in zip(("precision", "recall"), expected, strict=False):
        np.testing.assert_allclose(found[name], values, rtol=SMALL)
    for number, row in zip(seeds, rows, strict=True):
        of_network = probabilities[:, number]
        assert row["errors"] == (of_network.argmax(axis=1) != codes).sum()
        assert row["log_loss"] == pytest.approx(expected_log_loss(of_network, codes), rel=SMALL, abs=SMALL)


def test_the_interval_is_that_of_scipy() -> None:
    generator = np.random.default_rng(0)
    cases = [(correct, images) for images in (1, 2, 3, 30) for correct in range(images + 1)]
    cases += [(int(generator.integers(images + 1)), int(images)) for images in generator.integers(1, 10**6, 300)]
    for correct, images in cases:
        expected = binomtest(correct, images).proportion_ci(confidence_level=0.95, method="wilson")
        assert interval(correct, images) == pytest.approx((expected.low, expected.high), rel=SMALL, abs=SMALL)
