"""The networks: each maps images (B, side, side) in [0, 1] to logits (B, C)."""

import numpy as np
import torch
from torch import Tensor, nn

from src.core.errors import UserError
from src.models.recipes import Recipe

THREADS = {"linear": 1}
"""Threads for the training of a network, where they are not as many as torch finds.

A step of the linear model is too short to be shared by two threads: a second one brings nothing, and while another
process is busy the two wait for each other at every step.
"""


def build(recipe: Recipe, side: int, classes: int, seed: int) -> nn.Module:
    """Return the untrained network of a recipe, with weights drawn from `seed`.

    Raises:
        UserError: the images are too small for the network.
    """
    with torch.random.fork_rng(devices=[]):  # torch's global generator stays as it was
        torch.manual_seed(seed)
        if recipe.model == "linear":
            network: nn.Module = Linear(side, classes, recipe.initial_range, seed)
        else:
            network = {"mlp": Mlp, "quick": Quick, "cnn": Cnn}[recipe.model](side, classes)
    dtype: torch.dtype = getattr(torch, recipe.precision)
    # convolutions are faster with the channels of a pixel side by side; torch's types lack this form of `to`
    return network.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


class Linear(nn.Module):
    """One weight per pixel and class, and one bias per class: softmax regression, the notebook's model."""

    def __init__(self, side: int, classes: int, initial_range: float, seed: int) -> None:
        super().__init__()
        # numpy's generator gives the same numbers on every machine; first the weights, pixels first, then the biases,
        # as the notebook draws them
        initial = np.random.default_rng(seed).uniform(-initial_range, initial_range, (side * side + 1, classes))
        self.weight = nn.Parameter(torch.from_numpy(initial[:-1].T.copy()))
        self.bias = nn.Parameter(torch.from_numpy(initial[-1].copy()))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, C) for images (B, side, side)."""
        # classes first: with ten classes against a batch of 256 the product is about three times as fast that way
        return torch.addmm(self.bias[:, None], self.weight, images.flatten(1).T).T


class Mlp(nn.Sequential):
    """A multilayer perceptron with one hidden layer: the step that the notebook announced."""

    def __init__(self, side: int, classes: int, width: int = 1024) -> None:
        super().__init__(nn.Flatten(), nn.Linear(side * side, width), nn.ReLU(), nn.Linear(width, classes))


class Quick(nn.Sequential):
    """Three convolutions, each followed by max-pooling, which takes 28x28 pixels to 12x12, 6x6 and 3x3."""

    def __init__(self, side: int, classes: int) -> None:
        _check_side(side, 20, "quick")
        last = (side - 4) // 8
        super().__init__(
            nn.Unflatten(1, (1, side)),
            *_convolution(1, 8, size=5, padding=0, pool=True),
            *_convolution(8, 32, pool=True),
            *_convolution(32, 64, pool=True),
            nn.Flatten(),
            nn.Linear(64 * last * last, classes),
        )


class Cnn(nn.Sequential):
    """Five convolutions at 28x28, 12x12 and 6x6 pixels, global max-pooling, and a linear layer."""

    def __init__(self, side: int, classes: int) -> None:
        _check_side(side, 12, "cnn")
        super().__init__(
            nn.Unflatten(1, (1, side)),
            *_convolution(1, 24, size=5, padding=0, pool=True),
            *_convolution(24, 48),
            *_convolution(48, 48, pool=True),
            *_convolution(48, 96),
            *_convolution(96, 96),
            GlobalMaxPool(),
            nn.Linear(96, classes),
        )


class GlobalMaxPool(nn.Module):
    """The maximum of each channel over all positions: (B, channels, height, width) to (B, channels).

    `AdaptiveMaxPool2d` does the same, but its gradient on a GPU is not deterministic.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Return the maxima."""
        return features.amax(dim=(2, 3))


def _convolution(inputs: int, outputs: int, size: int = 3, padding: int = 1, pool: bool = False) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, size, padding=padding, bias=False)
    # pooling first leaves a quarter of the work to the normalization and the ReLU
    pooling = [nn.MaxPool2d(2)] if pool else []
    return [convolution, *pooling, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _check_side(side: int, smallest: int, model: str) -> None:
    if side < smallest:
        raise UserError(
            f"params.yaml: the recipe's model: {model} takes images of {smallest}x{smallest} pixels or more, these "
            f"have {side}x{side}; choose mlp or linear"
        )
