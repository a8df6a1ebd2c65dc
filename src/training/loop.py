"""The loop that trains every recipe."""

import math
from collections.abc import Callable

import torch

from src.core.errors import UserError
from src.core.progress import Progress
from src.data.images import ImageSet
from src.models import networks
from src.models.checkpoints import Checkpoint
from src.models.recipes import Recipe
from src.training import sets
from src.training.learning_curves import CurvePoint, is_point, suggest_more_steps
from src.training.processes import ALONE, Processes
from src.training.schedule import learning_rate
from src.training.step import make_step


def train(
    recipe: Recipe,
    fold: int,
    seed: int,
    labelled: ImageSet,
    device: torch.device,
    record: Callable[[CurvePoint], None] = lambda point: None,
    processes: Processes = ALONE,
) -> tuple[Checkpoint, list[CurvePoint]]:
    """Train a network on all folds but one, and validate it on that one.

    Args:
        recipe: what to train and how.
        fold: the number of the validation fold.
        seed: of everything random; equal seeds give equal networks.
        labelled: images float32 in [0, 1], shape (N, side, side), labels and folds.
        device: where to train.
        record: called with each point of the learning curve as soon as it is known.
        processes: those that train together. Only the first measures the validation set.

    Returns:
        The trained network, and its learning curve, which is empty in all processes but the first.

    Raises:
        UserError: there is no such fold, a batch is smaller than the number of processes, the images are too small for
            the network, the device does not support the recipe's precision, or the loss becomes NaN or infinite.
    """
    data = sets.of_fold(recipe, fold, seed, labelled, device, processes)
    network = networks.build(recipe, labelled.side, len(data.classes), seed).to(device)
    step = make_step(recipe, network, device, processes)
    done, steps = 0, recipe.epochs * data.batches
    curve: list[CurvePoint] = []
    with Progress(f"training fold {fold}, seed {seed}, in {step.precision}", recipe.epochs, "epoch") as progress:
        for epoch in range(1, recipe.epochs + 1):
            network.train()
            step.means.reset()
            for images, labels in data.epoch():
                step(images, labels, learning_rate(recipe, (done + 0.5) / steps))
                done += 1
            _check_finite(step.means.loss, epoch)
            state = ""
            if processes.first and is_point(epoch, recipe.epochs):
                curve.append(CurvePoint(epoch, step.means.loss, step.means.accuracy, *data.validate(network)))
                record(curve[-1])
                state = curve[-1].describe()
            progress.step(state)
    # the last step may have made weights NaN after its loss was checked
    _check_finite(data.loss_of_first_batch(network), recipe.epochs)
    if processes.first:
        suggest_more_steps(recipe, steps, curve[-1])
    weights = {name: value.numpy(force=True) for name, value in network.state_dict().items()}
    return Checkpoint(weights, recipe, data.classes, labelled.side, fold, seed, data.bright_background), curve


def _check_finite(loss: float, epoch: int) -> None:
    if not math.isfinite(loss):
        raise UserError(f"the loss became {loss} in epoch {epoch}; lower the recipe's lr in params.yaml")
