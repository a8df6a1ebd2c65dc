"""The networks: each maps images (B, side, side) in [0, 1] to logits (B, C)."""

import numpy as np
import torch
from torch import Tensor, nn

from src.recipes import Recipe


def build(recipe: Recipe, side: int, classes: int, seed: int) -> nn.Module:
    """Return the untrained network of a recipe, its weights drawn by `seed`."""
    return Linear(side, classes, recipe.initial_range, seed).to(getattr(torch, recipe.precision))


class Linear(nn.Module):
    """One weight a pixel and class, and a bias a class: the notebook's model."""

    def __init__(self, side: int, classes: int, initial_range: float, seed: int) -> None:
        super().__init__()
        # numpy's generator gives the same numbers on every machine
        draws = np.random.default_rng(seed).uniform(-initial_range, initial_range, (classes, side * side + 1))
        self.weight = nn.Parameter(torch.from_numpy(draws[:, :-1].copy()))
        self.bias = nn.Parameter(torch.from_numpy(draws[:, -1].copy()))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, C) for images (B, side, side)."""
        # classes first: on two cores twice as fast as images first, with ten classes against a batch of 256
        return (self.weight @ images.flatten(1).T).T + self.bias
