"""One loop that trains every recipe."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import one_hot

from src import images, losses, models
from src.augmentation import distort
from src.curves import CurvePoint
from src.device import torch_dtype
from src.errors import UserError
from src.images import ImageSet
from src.losses import Loss
from src.progress import Progress
from src.recipes import Recipe
from src.trained import Trained

CURVE_POINTS = 20
"""The most points of a learning curve; a point an epoch would slow the short epochs of a linear model."""


def train(
    recipe: Recipe, seed: int, train_set: ImageSet, validation_set: ImageSet, device: torch.device
) -> tuple[Trained, list[CurvePoint]]:
    """Train a network and return it with its learning curve. The validation set is measured, never learned from.

    Args:
        recipe: what to train and how.
        seed: of everything random; equal seeds give equal networks.
        train_set: images float32 in [0, 1], shape (N, side, side), and labels.
        validation_set: the same, shape (M, side, side); M may be 0.
        device: where to train.

    Raises:
        UserError: the training set is smaller than a batch, its images are too small for the network, the device
            cannot compute in the recipe's precision, or the loss becomes NaN or infinite.
    """
    if recipe.batch_size > len(train_set):
        raise UserError(
            f"params.yaml: the recipe's batch_size, {recipe.batch_size}, is more than the {len(train_set)} training "
            "images; lower it"
        )
    # what a device cannot do the same way twice is told, and done all the same
    torch.use_deterministic_algorithms(True, warn_only=True)
    # otherwise each new tensor is filled first, in case somebody reads it unset: a sixth of the time of a cnn;
    # torch's types lack this module
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    dtype = torch_dtype(recipe.precision, device)
    classes = images.classes(train_set, validation_set)
    network = models.build(recipe, train_set.side, len(classes), seed).to(device)
    train_images, train_targets = _tensors(train_set, classes, recipe, device, dtype)
    validation = _tensors(validation_set, classes, recipe, device, dtype)
    loss_of = losses.BY_NAME[recipe.loss]
    optimizer = make_optimizer(recipe, network)
    generator = torch.Generator().manual_seed(seed)

    total_steps = recipe.epochs * math.ceil(len(train_set) / recipe.batch_size)
    step = 0
    curve: list[CurvePoint] = []
    with threads_for(network), Progress(f"training seed {seed}", recipe.epochs, "epoch") as progress:
        for epoch in range(1, recipe.epochs + 1):
            measured = epoch % math.ceil(recipe.epochs / CURVE_POINTS) == 0 or epoch == recipe.epochs
            tally = Tally()
            order = generator if recipe.shuffle else None
            for batch_images, batch_targets in batches(train_images, train_targets, recipe.batch_size, order):
                if recipe.augmentation is not None:
                    batch_images = distort(batch_images, recipe.augmentation, generator)
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(recipe, (step + 0.5) / total_steps)
                logits = network(batch_images)
                loss, gradient = loss_of(logits.detach(), batch_targets)
                _check_finite(loss, epoch, group["lr"])
                optimizer.zero_grad()
                if isinstance(network, models.Linear):
                    network.backward(batch_images, gradient)
                else:
                    logits.backward(gradient)
                optimizer.step()
                step += 1
                if measured:
                    tally.add(logits, batch_targets, loss)
            if measured:
                curve.append(CurvePoint(epoch, *tally.means(), *_measure(network, validation, loss_of)))
            progress.step(curve[-1].describe() if measured else "")
        with torch.no_grad():  # no later step has seen what the last one made
            loss, _ = loss_of(network.eval()(batch_images), batch_targets)
        _check_finite(loss, epoch, group["lr"])
    weights = {name: value.numpy(force=True) for name, value in network.state_dict().items()}
    return Trained(weights, recipe, classes, train_set.side), curve


def make_optimizer(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    """Return the recipe's optimizer, which decays matrices and kernels and leaves biases and normalizations alone."""
    groups = [
        {"params": [weight for weight in network.parameters() if weight.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [weight for weight in network.parameters() if weight.ndim == 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, foreach=False)
    return torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.99), fused=True)


def learning_rate(recipe: Recipe, done: float) -> float:
    """Return the rate of the next step when the share `done` of all steps, in [0, 1), lies behind."""
    if done < recipe.warm_up:
        return recipe.lr * done / recipe.warm_up
    left = (1 - done) / (1 - recipe.warm_up)
    if recipe.schedule == "linear":
        return recipe.lr * left
    if recipe.schedule == "cosine":
        return recipe.lr * (1 - math.cos(math.pi * left)) / 2
    return recipe.lr


def batches(
    all_images: Tensor, targets: Tensor, size: int, order: torch.Generator | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield each image with its target once, `size` at a time and the last time the rest; shuffled by `order`."""
    if order is None:
        yield from zip(torch.split(all_images, size), torch.split(targets, size), strict=True)
        return
    for chosen in torch.split(torch.randperm(len(targets), generator=order).to(targets.device), size):
        yield all_images[chosen], targets[chosen]


class Tally:
    """Mean loss and accuracy over images, whatever the sizes of the batches that they come in."""

    def __init__(self) -> None:
        self._loss, self._right, self._count = torch.zeros(()), torch.zeros(()), 0

    def add(self, logits: Tensor, targets: Tensor, loss: Tensor) -> None:
        """Count a batch: logits (B, C), targets (B, C) and its mean loss."""
        self._loss = self._loss.to(loss) + loss * len(targets)
        self._right = self._right.to(loss) + (logits.detach().argmax(dim=1) == targets.argmax(dim=1)).sum()
        self._count += len(targets)

    def means(self) -> tuple[float, float]:
        """Return mean loss and accuracy over all images counted so far."""
        return self._loss.item() / self._count, self._right.item() / self._count


@contextmanager
def threads_for(network: nn.Module) -> Iterator[None]:
    """Train the linear model in one thread, any other in as many as torch finds.

    Its steps are too short to be shared: a second thread brings nothing, and beside another busy process the two wait
    for each other at every step.
    """
    found = torch.get_num_threads()
    torch.set_num_threads(1 if isinstance(network, models.Linear) else found)
    try:
        yield
    finally:
        torch.set_num_threads(found)


def _check_finite(loss: Tensor, epoch: int, lr: float) -> None:
    if not math.isfinite(loss.item()):
        raise UserError(
            f"the loss became {loss.item()} in epoch {epoch} at a learning rate of {lr:.3g}; lower the recipe's lr in "
            "params.yaml"
        )


@torch.no_grad()
def _measure(
    network: nn.Module, validation: tuple[Tensor, Tensor], loss_of: Loss
) -> tuple[float, float] | tuple[None, None]:
    if len(validation[1]) == 0:
        return None, None
    network.eval()
    tally = Tally()
    for batch_images, targets in batches(*validation, size=250):
        logits = network(batch_images)
        tally.add(logits, targets, loss_of(logits, targets)[0])
    network.train()
    return tally.means()


def _tensors(
    one: ImageSet, classes: NDArray[Any], recipe: Recipe, device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Return images (N, side, side), and targets (N, C): each label's class as one-hot, smoothed by the recipe."""
    labels = torch.from_numpy(np.searchsorted(classes, one.known_labels))
    share = recipe.label_smoothing
    targets = one_hot(labels, len(classes)).to(device, dtype) * (1 - share) + share / len(classes)
    return torch.from_numpy(np.array(one.images)).to(device, dtype), targets
