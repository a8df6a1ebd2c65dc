"""What each recipe reaches on the validation set of the full data, and the seconds its training takes."""

import time

import torch

from benchmarks.full_data import FullData
from benchmarks.timing import Row
from src.recipes import Recipe
from src.training import train


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Train every recipe once, with seed 0; accuracy is without the shifts at test time."""
    rows = []
    for name, recipe in recipes.items():
        start = time.perf_counter()
        _, curve = train(recipe, 0, data.train_set, data.validation_set, torch.device("cpu"))
        seconds = time.perf_counter() - start
        rows.append(
            Row(
                f"recipe {name}: seconds to train, accuracy",
                "",
                f"{seconds:.1f} s, {curve[-1].validation_accuracy:.4f}",
                "",
            )
        )
    return rows
