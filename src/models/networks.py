"""The networks: each maps images (B, side, side) in [0, 1] to logits (B, C).

A network is a class that is built from the side of an image in pixels, the number of classes, and its recipe. It has a
line in `BY_NAME`, and its name is in `Recipe.model`.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from src.core.errors import UserError
from src.models.checkpoints import Checkpoint
from src.models.recipes import Recipe

THREADS = {"linear": 1}
"""Threads for the training of a network; the others use as many as torch finds.

A step of the linear model is too short to be divided between two threads: a second one gains nothing, and while another
process is busy the two wait for each other at every step.
"""


def build(recipe: Recipe, side: int, classes: int, seed: int) -> nn.Module:
    """Return the untrained network of a recipe, with weights drawn from `seed`.

    Raises:
        UserError: the images are too small for the network, or the recipe's `channels` are too many or too few.
    """
    with torch.random.fork_rng(devices=[]):  # torch's global generator stays as it was
        torch.manual_seed(seed)
        network = BY_NAME[recipe.model](side, classes, recipe)
    dtype = torch.float64 if recipe.precision == "float64" else torch.float32
    # convolutions are faster with the channels of a pixel side by side; torch's types lack this form of `to`
    return network.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def restore(checkpoint: Checkpoint) -> nn.Module:
    """Return the trained network of a checkpoint."""
    network = build(checkpoint.recipe, checkpoint.side, len(checkpoint.classes), seed=0)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in checkpoint.weights.items()})
    return network


class Linear(nn.Module):
    """One weight per pixel and class, and one bias per class: softmax regression."""

    def __init__(self, side: int, classes: int, recipe: Recipe) -> None:
        super().__init__()
        # numpy's generator gives the same numbers on every machine; first the weights, pixels first, then the biases,
        # as the notebook draws them
        generator, limit = np.random.default_rng(torch.initial_seed()), recipe.initial_range
        initial = generator.uniform(-limit, limit, (side * side + 1, classes))
        self.weight = nn.Parameter(torch.from_numpy(initial[:-1].T.copy()))
        self.bias = nn.Parameter(torch.from_numpy(initial[-1].copy()))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, C) for images (B, side, side)."""
        # classes first: with ten classes and a batch of 256 images the product is about three times as fast that way
        return torch.addmm(self.bias[:, None], self.weight, images.flatten(1).T).T


class Mlp(nn.Sequential):
    """A multilayer perceptron with one hidden layer."""

    def __init__(self, side: int, classes: int, recipe: Recipe) -> None:
        width = 1024
        super().__init__(nn.Flatten(), nn.Linear(side * side, width), nn.ReLU(), nn.Linear(width, classes))


class Quick(nn.Sequential):
    """Three convolutions, each followed by max-pooling, which take 28x28 pixels to 12x12, 6x6 and 2x2."""

    def __init__(self, side: int, classes: int, recipe: Recipe) -> None:
        first, second, third = _channels(recipe, (16, 32, 64))
        _require_side(side, 20, recipe)
        last_padding = _padding(side, enough=28)
        last = ((side - 4) // 4 - (2 if last_padding == "valid" else 0)) // 2
        # with torch's momentum of 0.1 the running mean and variance need some fifty batches to leave their initial
        # values behind, and the one epoch of a small set has fewer
        convolution = partial(_convolution, pool=True, momentum=0.5)
        super().__init__(
            nn.Unflatten(1, (1, side)),
            *convolution(1, first, size=5),
            *convolution(first, second, padding="same"),
            *convolution(second, third, padding=last_padding),
            nn.Flatten(),
            nn.Linear(third * last * last, classes),
        )


class Cnn(nn.Sequential):
    """Five convolutions, which take 28x28 pixels to 12x12, 10x10 and 4x4, global max-pooling, and a linear layer."""

    def __init__(self, side: int, classes: int, recipe: Recipe) -> None:
        first, second, third, fourth, fifth = _channels(recipe, (16, 48, 48, 96, 96))
        _require_side(side, 12, recipe)
        padding = _padding(side, enough=20)
        super().__init__(
            nn.Unflatten(1, (1, side)),
            *_convolution(1, first, size=5, pool=True),
            *_convolution(first, second, padding=padding),
            *_convolution(second, third, padding=padding, pool=True),
            *_convolution(third, fourth, padding="same"),
            *_convolution(fourth, fifth, padding="same"),
            GlobalMaxPool(),
            nn.Linear(fifth, classes),
        )


BY_NAME: dict[str, Callable[[int, int, Recipe], nn.Module]] = {
    "linear": Linear,
    "mlp": Mlp,
    "quick": Quick,
    "cnn": Cnn,
}
"""Each network by the name that a recipe gives as its `model`."""


class GlobalMaxPool(nn.Module):
    """The maximum of each channel over all positions: (B, channels, height, width) to (B, channels).

    `AdaptiveMaxPool2d` does the same, but its gradient on a GPU is not deterministic.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Return the maxima."""
        return features.amax(dim=(2, 3))


def _convolution(
    inputs: int,
    outputs: int,
    size: int = 3,
    padding: Literal["valid", "same"] = "valid",
    pool: bool = False,
    momentum: float = 0.1,
) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, size, padding=padding, bias=False)
    # pooling first leaves a quarter of the work to the normalization and the ReLU
    pooling = [nn.MaxPool2d(2)] if pool else []
    return [convolution, *pooling, nn.BatchNorm2d(outputs, momentum=momentum), nn.ReLU(inplace=True)]


def _padding(side: int, enough: int) -> Literal["valid", "same"]:
    # without padding there is less to compute, but images of fewer pixels than `enough` would come down to a single one
    return "valid" if side >= enough else "same"


def _channels(recipe: Recipe, default: tuple[int, ...]) -> tuple[int, ...]:
    """Return the output channels of each convolution: those of the recipe, if it has any."""
    channels = tuple(recipe.channels or default)
    if len(channels) != len(default):
        raise UserError(
            f"params.yaml: the recipe's channels: {recipe.model} has {len(default)} convolutions, and the list "
            f"{len(channels)} numbers; write one for each"
        )
    return channels


def _require_side(side: int, smallest: int, recipe: Recipe) -> None:
    if side < smallest:
        raise UserError(
            f"params.yaml: the recipe's model: {recipe.model} takes images of {smallest}x{smallest} pixels or more, "
            f"these have {side}x{side}; choose mlp or linear"
        )
