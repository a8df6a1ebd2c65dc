"""What training makes small.

Each takes logits (B, C) and the probabilities that are wanted in their place, the targets (B, C). It returns the mean
over the batch and, in closed form, its gradient with respect to the logits (B, C).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@torch.no_grad()
def rmse(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Root of the mean, over batch and classes, of (softmax(logits) - targets)²; in [0, 1].

    With p = softmax(z), d = p - targets and L = sqrt(mean(d²)) over n = B·C numbers: dL/dp = d / (n L), and the
    softmax turns a gradient g into p (g - Σ p g), the sum over the classes. Where L is 0, so is the gradient.
    """
    _check_shapes(logits, targets)
    # classes first, as the linear model has its logits in memory: half the time
    probabilities = logits.T.softmax(dim=0)
    difference = probabilities - targets.T
    loss = torch.linalg.vector_norm(difference) / math.sqrt(difference.numel())
    weighted = probabilities * difference
    gradient = weighted - probabilities * weighted.sum(dim=0)
    return loss, (gradient / (difference.numel() * loss.clamp(min=torch.finfo(loss.dtype).tiny))).T


@torch.no_grad()
def cross_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, over the batch, of -Σ targets · log softmax(logits). Its gradient is (softmax(logits) - targets) / B."""
    _check_shapes(logits, targets)
    log_probabilities = logits.log_softmax(dim=1)
    return -(targets * log_probabilities).sum() / len(targets), (log_probabilities.exp() - targets) / len(targets)


BY_NAME: dict[str, Loss] = {"rmse": rmse, "cross_entropy": cross_entropy}


def _check_shapes(logits: Tensor, targets: Tensor) -> None:
    if targets.shape != logits.shape:
        raise ValueError(f"targets have shape {tuple(targets.shape)}, not {tuple(logits.shape)} as the logits")
