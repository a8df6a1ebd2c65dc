"""Images that stay in their file are trained on as those in memory are."""

from dataclasses import replace
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
from tests.conftest import ROOT, Project

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
def digits(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Return 1200 real digits, 24x24, mapped from their file, in four folds of consecutive rows."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    large = (pixels[:1200] / 16).astype(np.float32).reshape(-1, 8, 8).repeat(3, 1).repeat(3, 2)
    folder = tmp_path_factory.mktemp("sets") / "labelled"
    images.write_set(folder, [large], labels[:1200], np.repeat(np.arange(4, dtype=np.uint8), 300))
    return images.open_set(folder)


@pytest.mark.parametrize(
    ("name", "fold", "shuffled"),
    [
        *((name, 1, True) for name in RECIPES),
        *(("in order", fold, False) for fold in (0, 1, 3)),
        ("both", 2, False),
    ],
)
def test_they_give_the_same_network_and_the_same_curve(
    name: str, fold: int, shuffled: bool, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shuffled:
        digits = replace(digits, folds=np.random.default_rng(0).permutation(digits.known_folds))
    recipe = Recipe.model_validate({"loss": "cross_entropy", "lr": 0.01, "batch_size": 32, "epochs": 3} | RECIPES[name])
    expected, expected_curve = train(recipe, fold, 0, digits, CPU)
    monkeypatch.setattr(mapped, "SHARE", 0.0)
    monkeypatch.setattr(mapped, "GROUP", 7)
    found, curve = train(recipe, fold, 0, digits, CPU)
    assert curve == expected_curve
    for weights, array in expected.weights.items():
        np.testing.assert_array_equal(found.weights[weights], array)


def test_an_error_in_the_thread_that_reads_ends_the_training(
    digits: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped, "SHARE", 0.0)

    def unreadable(*arguments: object, **options: object) -> None:
        raise OSError(5, "Input/output error", str(tmp_path))

    recipe = Recipe.model_validate(
        {"loss": "cross_entropy", "lr": 0.01, "batch_size": 32, "epochs": 1} | RECIPES["in order"]
    )
    monkeypatch.setattr(mapped.MappedImages, "_read", unreadable)
    with pytest.raises(OSError, match="Input/output"):
        train(recipe, 3, 0, digits, CPU)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells how much memory a process holds")
def test_measuring_a_large_fold_holds_little_of_it(tmp_path: Path) -> None:
    count = 400_000
    np.lib.format.open_memmap(tmp_path / "images.npy", "w+", np.float32, (count, 28, 28))  # empty space, on disk too
    (tmp_path / "measure.py").write_text(f"""
import numpy as np, torch
from benchmarks.timing import peak_memory
from src.core.arrays import Rows
from src.models import networks, recipes
from src.training.learning_curves import measure
recipe = recipes.get("linear")
images = Rows(np.load({str(tmp_path / "images.npy")!r}, mmap_mode="r"), np.arange({count}))
before = peak_memory()
measure(networks.build(recipe, 28, 10, seed=0), recipe, images, torch.zeros({count}, dtype=torch.long))
print(peak_memory() - before)
""")
    printed = Project(ROOT).run("python", str(tmp_path / "measure.py"), PYTHONPATH=str(ROOT))
    assert float(printed) < 400 < count * 28 * 28 * 4 / 2**20
