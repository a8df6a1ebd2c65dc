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


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells how much memory a process holds")
def test_measuring_a_large_set_holds_little_of_it(tmp_path: Path) -> None:
    count = 400_000
    np.lib.format.open_memmap(tmp_path / "images.npy", "w+", np.float32, (count, 28, 28))  # empty space, on disk too
    (tmp_path / "measure.py").write_text(f"""
import numpy as np, torch
from benchmarks.timing import peak_memory
from src.core import params
from src.models import networks, recipes
from src.training.learning_curves import measure
recipe = recipes.get("linear")
images = np.load({str(tmp_path / "images.npy")!r}, mmap_mode="r")
before = peak_memory()
measure(networks.build(recipe, 28, 10, seed=0), recipe, images, torch.zeros({count}, dtype=torch.long))
print(peak_memory() - before)
""")
    printed = Project(ROOT).run("python", str(tmp_path / "measure.py"), PYTHONPATH=str(ROOT))
    assert float(printed) < 400 < count * 28 * 28 * 4 / 2**20
