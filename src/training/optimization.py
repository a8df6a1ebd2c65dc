"""The optimizer of a recipe, and its learning rate over the steps."""

import math

import torch
from torch import nn

from src.models.recipes import Recipe


def make_optimizer(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    """Return the recipe's optimizer, with weight decay for all weights but biases and batch normalizations."""
    groups = [
        {"params": [weight for weight in network.parameters() if weight.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [weight for weight in network.parameters() if weight.ndim == 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, foreach=False)
    return torch.optim.AdamW(groups, lr=recipe.lr, betas=(recipe.betas[0], recipe.betas[1]), fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, recipe: Recipe, progress: float) -> None:
    """Set the learning rate of the next step; `progress`, in [0, 1), is the fraction of all steps that are done."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(recipe, progress)


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
