"""A training set that stays in its file is trained as one in memory is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src.data import images
from src.data.images import ImageSet
from src.models.recipes import Recipe
from src.training import mapped
from src.training.loop import train

CPU = torch.device("cpu")
AUGMENTATION = {"rotation": 8.0, "zoom": 0.08, "shear": 0.1, "shift": 1.0}
RECIPES: dict[str, dict[str, Any]] = {
    "in order": {"model": "linear", "optimizer": "sgd", "shuffle": False},
    "float64": {"model": "linear", "optimizer": "sgd", "shuffle": True, "precision": "float64"},
    "preprocessed": {"model": "mlp", "optimizer": "adamw", "shuffle": True, "preprocessing": {"deslant": True}},
    "distorted": {"model": "cnn", "optimizer": "adamw", "shuffle": True, "augmentation": AUGMENTATION},
    "both": {"model": "quick", "optimizer": "adamw", "shuffle": True, "augmentation": AUGMENTATION,
             "preprocessing": {"deslant": True, "width": 12}},
}  # fmt: skip


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageSet, ImageSet]:
    """Return 900 and 300 real digits, 24x24, mapped from their files."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    large = (pixels[:1200] / 16).astype(np.float32).reshape(-1, 8, 8).repeat(3, 1).repeat(3, 2)
    folder = tmp_path_factory.mktemp("sets")
    for name, chosen in (("train", slice(None, 900)), ("validation", slice(900, None))):
        images.write_set(folder / name, [large[chosen]], labels[:1200][chosen])
    return images.open_set(folder / "train"), images.open_set(folder / "validation")


@pytest.mark.parametrize("name", RECIPES)
def test_it_gives_the_same_network_and_the_same_curve(
    name: str, digits: tuple[ImageSet, ImageSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe.model_validate({"loss": "cross_entropy", "lr": 0.01, "batch_size": 32, "epochs": 3} | RECIPES[name])
    expected, expected_curve = train(recipe, 0, *digits, CPU)
    monkeypatch.setattr(mapped, "SHARE", 0.0)
    monkeypatch.setattr(mapped, "GROUP", 7)
    found, curve = train(recipe, 0, *digits, CPU)
    assert curve == expected_curve
    for weights, array in expected.weights.items():
        np.testing.assert_array_equal(found.weights[weights], array)


def test_an_error_in_the_thread_that_reads_ends_the_training(
    digits: tuple[ImageSet, ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped, "SHARE", 0.0)

    def unreadable(*arguments: object, **options: object) -> None:
        raise OSError(5, "Input/output error", str(tmp_path))

    recipe = Recipe.model_validate(
        {"loss": "cross_entropy", "lr": 0.01, "batch_size": 32, "epochs": 1} | RECIPES["in order"]
    )
    monkeypatch.setattr(mapped.MappedImages, "_read", unreadable)
    with pytest.raises(OSError, match="Input/output"):
        train(recipe, 0, *digits, CPU)
