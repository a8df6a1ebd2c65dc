"""The loss functions: each maps logits (B, C) and the labels' classes (B,) to the mean loss over the batch."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot


def rmse(logits: Tensor, labels: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Root of the mean squared difference between softmax(logits) and the one-hot labels; in [0, 1]."""
    classes = logits.shape[1]
    differences = logits.softmax(dim=1) - (one_hot(labels, classes) * (1 - label_smoothing) + label_smoothing / classes)
    # the norm has a gradient of 0 where all differences are 0; a square root would have NaN there
    loss: Tensor = torch.linalg.vector_norm(differences) / differences.numel() ** 0.5
    return loss


BY_NAME: dict[str, Callable[..., Tensor]] = {"rmse": rmse, "cross_entropy": cross_entropy}
