"""The optimizer of a recipe, and its learning rate over the steps."""

import math

import torch
from torch import Tensor, nn

from src.models.recipes import Recipe


def make_optimizer(recipe: Recipe, network: nn.Module, rate: Tensor | None = None) -> torch.optim.Optimizer:
    """Return the recipe's optimizer, with weight decay for all weights but biases and batch normalizations.

    With `rate`, float32 of shape (), a CUDA graph of its steps can be captured, which reads the learning rate from it.
    """
    captured, lr = rate is not None, recipe.lr if rate is None else rate
    groups = [
        {"params": [weight for weight in network.parameters() if weight.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [weight for weight in network.parameters() if weight.ndim == 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=recipe.momentum, foreach=False, fused=captured)
    return torch.optim.AdamW(groups, lr=lr, betas=(recipe.betas[0], recipe.betas[1]), capturable=captured, fused=True)


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
