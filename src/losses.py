"""What training makes small. Each takes logits (B, C) and labels (B,) and returns the mean over the batch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

Loss = Callable[[Tensor, Tensor], Tensor]


class _RootMeanSquare(torch.autograd.Function):
    """Softmax, distance to the one-hot labels and root mean square in one, with the gradient in closed form.

    With p = softmax(z), d = p - onehot and L = sqrt(mean(d²)) over n = B·C numbers: dL/dp = d / (n L), and the
    softmax turns a gradient g into p (g - Σ p g), the sum over the classes.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor) -> Tensor:
        probabilities = logits.softmax(dim=1)
        difference = probabilities.scatter_add(1, labels[:, None], probabilities.new_full((len(labels), 1), -1.0))
        loss = difference.square().mean().sqrt()
        ctx.save_for_backward(probabilities, difference, loss)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        probabilities, difference, loss = ctx.saved_tensors
        weighted = probabilities * difference * (gradients[0] / (difference.numel() * loss))
        return weighted - probabilities * weighted.sum(dim=1, keepdim=True), None


def rmse(logits: Tensor, labels: Tensor) -> Tensor:
    """Root of the mean, over batch and classes, of (softmax(logits) - onehot(labels))²; in [0, 1]."""
    if labels.shape != logits.shape[:1]:
        raise ValueError(f"labels have shape {tuple(labels.shape)}, not ({len(logits)},) as the logits")
    loss: Tensor = _RootMeanSquare.apply(logits, labels)  # type: ignore[no-untyped-call]
    return loss


BY_NAME: dict[str, Loss] = {"rmse": rmse, "cross_entropy": cross_entropy}
