"""The optimizers: torch's fused kernels, called without `torch.optim`.

The first optimizer of `torch.optim` imports torch's compiler, which takes as long as importing torch itself. The
kernels are the same, and so are the weights, bit by bit (`tests/test_optimizers.py`).
"""

from abc import ABC, abstractmethod
from itertools import chain
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from src.models.recipes import Recipe

EPSILON = 1e-8
"""Added to the denominator of AdamW, as `torch.optim.AdamW` does."""


class Group(TypedDict):
    """Weights with the same weight decay."""

    params: list[Tensor]
    weight_decay: float


class Optimizer(ABC):
    """What all optimizers have in common, in the form that `torch.amp.GradScaler` expects.

    In float16 the kernels divide the gradients by the scaler's scale, and change nothing where one is not finite.

    Args:
        recipe: its settings are used.
        network: what to train. Biases and the weights of batch normalizations do not decay.

    Attributes:
        param_groups: all weights of the network.
        state: all tensors that a step changes besides the weights. They are zero at first.
    """

    _step_supports_amp_scaling = True

    def __init__(self, recipe: Recipe, network: nn.Module) -> None:
        weights: list[Tensor] = [weight for weight in network.parameters() if weight.requires_grad]
        groups: list[Group] = [
            {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": recipe.weight_decay},
            {"params": [weight for weight in weights if weight.ndim == 1], "weight_decay": 0.0},
        ]
        self.param_groups = [group for group in groups if group["params"]]
        self.state: list[Tensor] = []

    @abstractmethod
    def step(self, lr: float | Tensor) -> None:
        """Change the weights by their gradients.

        Args:
            lr: the learning rate; in a CUDA graph a tensor on its device, float32 of shape ().
        """

    def _zeros(self) -> list[list[Tensor]]:
        """Return a tensor of zeros for each weight of each group, and add them to the state."""
        zeros = [[torch.zeros_like(weight) for weight in group["params"]] for group in self.param_groups]
        self.state += chain(*zeros)
        return zeros

    def _settings(self, group: Group, lr: float | Tensor) -> dict[str, Any]:
        """Return what both kernels are told about a group; the scaler sets its two values for the time of a step."""
        scaling = {name: getattr(self, name, None) for name in ("grad_scale", "found_inf")}
        return {"lr": lr, "weight_decay": group["weight_decay"], "maximize": False, **scaling}


class Sgd(Optimizer):
    """Stochastic gradient descent, with momentum if the recipe has any."""

    def __init__(self, recipe: Recipe, network: nn.Module) -> None:
        super().__init__(recipe, network)
        self._momentum = recipe.momentum
        self._velocities = self._zeros() if recipe.momentum else [[] for _ in self.param_groups]

    @torch.no_grad()
    def step(self, lr: float | Tensor) -> None:
        """Change the weights by their gradients."""
        for group, velocities in zip(self.param_groups, self._velocities, strict=True):
            torch._fused_sgd_(
                group["params"], _gradients(group), velocities, **self._settings(group, lr),
                momentum=self._momentum, dampening=0.0, nesterov=False, is_first_step=False,
            )  # fmt: skip


class AdamW(Optimizer):
    """Adam with decoupled weight decay.

    Loshchilov, I. & Hutter, F. (2019), Decoupled weight decay regularization, ICLR.
    """

    def __init__(self, recipe: Recipe, network: nn.Module) -> None:
        super().__init__(recipe, network)
        self._betas = recipe.betas
        self._means, self._squares = self._zeros(), self._zeros()
        self._steps = torch.zeros((), device=self.param_groups[0]["params"][0].device)
        self.state.append(self._steps)

    @torch.no_grad()
    def step(self, lr: float | Tensor) -> None:
        """Change the weights by their gradients."""
        self._steps += 1
        for group, means, squares in zip(self.param_groups, self._means, self._squares, strict=True):
            torch._fused_adamw_(
                group["params"], _gradients(group), means, squares, [], [self._steps] * len(means),
                **self._settings(group, lr),
                beta1=self._betas[0], beta2=self._betas[1], eps=EPSILON, amsgrad=False,
            )  # fmt: skip
        if (found_inf := getattr(self, "found_inf", None)) is not None:
            self._steps -= found_inf  # a step that was skipped does not count


def _gradients(group: Group) -> list[Tensor]:
    return [weight.grad for weight in group["params"] if weight.grad is not None]


BY_NAME: dict[str, type[Optimizer]] = {"sgd": Sgd, "adamw": AdamW}
"""Each optimizer by its name in a recipe."""
