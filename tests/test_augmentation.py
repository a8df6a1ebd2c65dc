"""The random matrices: angle, shear, zooms and shifts are recovered from them, and looked at as samples."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from src.models.recipes import SIDE, Augmentation
from src.training.augmentation import random_matrices

COUNT = 20_000
NAMES = ("rotation", "shear", "zoom across", "zoom down", "shift right", "shift down")
ALL = Augmentation(rotation=20, shear=0.3, zoom=0.25, shift=3)
LIMITS = np.array([20, 0.3, 0.25, 0.25, 3, 3])
SIGMAS = 5
"""By so many standard deviations of its sampling distribution a statistic may differ from its expected value."""


def drawn(augmentation: Augmentation, seed: int = 0) -> NDArray[np.float64]:
    """Return `COUNT` matrices, shape (COUNT, 2, 3), in batches of different sizes."""
    sizes = [COUNT // 2, 1, 999, COUNT // 2 - 1000]
    return random_matrices(sizes, augmentation, torch.Generator().manual_seed(seed)).double().numpy()


def recovered(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the matrices are made of, in the order of `NAMES` and the units of `Augmentation`, shape (N, 6).

    Each is `diag(1 + across, 1 + down) @ rotation @ [[1, shear], [0, 1]]`, of an angle below 45 degrees, and a shift
    in half widths of an image.
    """
    (a, b, right), (c, d, down) = np.moveaxis(matrices, 0, 2)
    product = a * d - b * c  # of the two scales
    across = np.sqrt(2 * a**2 / (1 + np.sqrt(1 - 4 * (a * c / product) ** 2)))
    along = product / across
    angle = np.arctan2(c / along, a / across)
    shear = (b + across * np.sin(angle)) / a
    half = SIDE / 2
    return np.stack([np.degrees(angle), shear, across - 1, along - 1, right * half, down * half], axis=1)


@pytest.fixture(scope="module")
def sample() -> NDArray[np.float64]:
    """Return what the matrices are made of as shares of the limits, shape (COUNT, 6), in [-1, 1]."""
    return recovered(drawn(ALL)) / LIMITS


def test_each_is_uniform_between_its_limits(sample: NDArray[np.float64]) -> None:
    assert np.abs(sample).max() <= 1 + 1e-4
    assert (sample.min(axis=0) < -0.999).all() and (sample.max(axis=0) > 0.999).all()
    assert np.abs(sample.mean(axis=0)).max() < SIGMAS / np.sqrt(3 * COUNT)
    # Kolmogorov and Smirnov: the largest difference from the distribution function, 1.95 / sqrt(N) once in a thousand
    places = (np.arange(COUNT) + 0.5) / COUNT
    assert np.abs(np.sort((1 + sample) / 2, axis=0) - places[:, None]).max() < 1.95 / np.sqrt(COUNT)


def test_they_are_independent_of_each_other_and_from_image_to_image(sample: NDArray[np.float64]) -> None:
    of_next = np.roll(sample, 1, axis=0)
    for values in (np.concatenate([form(sample), form(of_next)], axis=1) for form in (np.asarray, np.abs)):
        correlations = np.corrcoef(values.T)[: len(NAMES)] - np.eye(len(NAMES), 2 * len(NAMES))
        assert np.abs(correlations).max() < SIGMAS / np.sqrt(COUNT)


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("rotation", ["rotation"]),
        ("shear", ["shear"]),
        ("zoom", ["zoom across", "zoom down"]),
        ("shift", ["shift right", "shift down"]),
    ],
)
def test_a_limit_changes_what_it_names_alone(key: str, changed: list[str], sample: NDArray[np.float64]) -> None:
    matrices = drawn(Augmentation.model_validate({key: getattr(ALL, key)}))
    found = recovered(matrices) / LIMITS
    for place, name in enumerate(NAMES):  # with the numbers that it has among the others
        np.testing.assert_allclose(found[:, place], sample[:, place] if name in changed else 0, rtol=0, atol=1e-4)
    if key == "shear":  # horizontal: rows stay rows
        assert (matrices[:, 1] == [0, 1, 0]).all()


def test_other_seeds_draw_others() -> None:
    assert not np.isin(drawn(ALL, seed=1)[:, 0, 2], drawn(ALL)[:100, 0, 2]).mean() > 0.01
