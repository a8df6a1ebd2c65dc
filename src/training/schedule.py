"""The learning rate over the steps of a training."""

import math

from src.models.recipes import Recipe


def learning_rate(recipe: Recipe, progress: float) -> float:
    """Return the learning rate after the fraction `progress`, in [0, 1), of all steps."""
    if progress < recipe.warm_up:
        return recipe.lr * progress / recipe.warm_up
    remaining = (1 - progress) / (1 - recipe.warm_up)
    if recipe.schedule == "linear":
        return recipe.lr * remaining
    if recipe.schedule == "cosine":
        return recipe.lr * (1 - math.cos(math.pi * remaining)) / 2
    return recipe.lr
