"""The networks: each maps images (B, side, side) in [0, 1] to logits (B, C)."""

import numpy as np
import torch
from torch import Tensor, nn

from src.errors import UserError
from src.recipes import Recipe


def build(recipe: Recipe, side: int, classes: int, seed: int) -> nn.Module:
    """Return the untrained network of a recipe, its weights drawn by `seed`.

    Raises:
        UserError: the images are too small for the network.
    """
    torch.manual_seed(seed)
    if recipe.model == "linear":
        network: nn.Module = Linear(side, classes, recipe.initial_range, seed)
    else:
        network = {"mlp": Mlp, "quick": Quick, "cnn": Cnn}[recipe.model](side, classes)
    dtype: torch.dtype = getattr(torch, recipe.precision)
    # convolutions are faster with the channels of a pixel side by side; torch's types lack this form of `to`
    return network.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


class Linear(nn.Module):
    """One weight a pixel and class, and a bias a class: the notebook's model.

    A step of it is so short that autograd would take longer than its arithmetic, so it has its gradient in closed form.
    """

    def __init__(self, side: int, classes: int, initial_range: float, seed: int) -> None:
        super().__init__()
        # numpy's generator gives the same numbers on every machine; first the weights, pixels first, then the biases,
        # as the notebook draws them
        draws = np.random.default_rng(seed).uniform(-initial_range, initial_range, (side * side + 1, classes))
        self.weight = nn.Parameter(torch.from_numpy(draws[:-1].T.copy()), requires_grad=False)
        self.bias = nn.Parameter(torch.from_numpy(draws[-1].copy()), requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, C) for images (B, side, side)."""
        # classes first: with ten classes against a batch of 256 the product is about three times as fast that way
        return torch.addmm(self.bias[:, None], self.weight, images.flatten(1).T).T

    def backward(self, images: Tensor, gradient: Tensor) -> None:
        """Set the parameters' gradients for a gradient (B, C) of the logits of `images`."""
        self.weight.grad = gradient.T @ images.flatten(1)
        self.bias.grad = gradient.sum(dim=0)


class Mlp(nn.Sequential):
    """Two linear layers with a non-linearity between: the step that the notebook announced."""

    def __init__(self, side: int, classes: int, width: int = 1024) -> None:
        super().__init__(nn.Flatten(), nn.Linear(side * side, width), nn.ReLU(), nn.Linear(width, classes))


class Quick(nn.Sequential):
    """Three convolutions, each followed by a pooling: images of 28x28 come down to 12x12, 6x6 and 3x3."""

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
    """Five convolutions at 28x28, 12x12 and 6x6; the maximum over the places that are left decides."""

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
    """The maximum of each channel over all places: (B, channels, height, width) to (B, channels).

    `AdaptiveMaxPool2d` does the same, but its gradient on a GPU is not deterministic.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Return the maxima."""
        return features.amax(dim=(2, 3))


def _convolution(inputs: int, outputs: int, size: int = 3, padding: int = 1, pool: bool = False) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, size, padding=padding, bias=False)
    # pooled first, so that the normalization and the ReLU have a quarter of the work
    pooling = [nn.MaxPool2d(2)] if pool else []
    return [convolution, *pooling, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _check_side(side: int, smallest: int, model: str) -> None:
    if side < smallest:
        raise UserError(
            f"params.yaml: the recipe's model: {model} takes images of {smallest}x{smallest} pixels or more, these "
            f"have {side}x{side}; choose mlp or linear"
        )
