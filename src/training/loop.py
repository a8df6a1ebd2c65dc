"""The loop that trains every recipe."""

import math
from collections.abc import Callable

import numpy as np
import torch

from src.core.errors import UserError
from src.core.progress import Progress
from src.data.images import ImageSet, background
from src.models import networks, preprocessing
from src.models.checkpoints import Checkpoint
from src.models.device import torch_dtype
from src.models.recipes import Recipe
from src.training.batches import batch_size
from src.training.learning_curves import MAX_POINTS, CurvePoint, measure, suggest_more_steps
from src.training.mapped import fits_into_memory, training_images
from src.training.optimization import learning_rate
from src.training.processes import ALONE, Processes
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
    if fold not in labelled.known_folds:
        raise UserError(f"params.yaml: folds: there is no fold {fold}; they are numbered from 0 to split.n_splits - 1")
    train_set, validation_set = labelled.split(fold)
    size = batch_size(recipe, len(train_set), processes.count)
    classes = np.unique(labelled.known_labels)
    dtype = torch_dtype(recipe.precision, device)
    generator = torch.Generator().manual_seed(seed)
    order = generator if recipe.shuffle else None
    in_memory = fits_into_memory(labelled.images, dtype, device)
    images = training_images(train_set.images, recipe, generator, device, dtype, in_memory, processes)
    validation_images = preprocessing.apply(validation_set.images, recipe.preprocessing if in_memory else None)
    labels = torch.from_numpy(np.searchsorted(classes, train_set.known_labels)).to(device)
    validation_labels = torch.from_numpy(np.searchsorted(classes, validation_set.known_labels)).to(device)
    network = networks.build(recipe, train_set.side, len(classes), seed).to(device)
    step = make_step(recipe, network, device, processes)
    means = step.means
    steps = recipe.epochs * math.ceil(len(train_set) / size)
    done = 0
    epochs_per_point = math.ceil(recipe.epochs / MAX_POINTS)
    curve: list[CurvePoint] = []
    with Progress(f"training fold {fold}, seed {seed}, in {step.precision}", recipe.epochs, "epoch") as progress:
        for epoch in range(1, recipe.epochs + 1):
            network.train()
            means.reset()
            for batch, targets in images.epoch(labels, size, order):
                step(batch, targets, learning_rate(recipe, (done + 0.5) / steps))
                done += 1
            _check_finite(means.loss, epoch)
            if processes.first and (epoch % epochs_per_point == 0 or epoch == recipe.epochs):
                measured = measure(network, recipe, validation_images, validation_labels, not in_memory)
                curve.append(CurvePoint(epoch, means.loss, means.accuracy, *measured))
                record(curve[-1])
            progress.step(curve[-1].describe() if curve and curve[-1].epoch == epoch else "")
    # the last step may have made weights NaN after its loss was checked; unpreprocessed images show that as well
    first_images, first_labels = train_set.images[:size], labels[:size]
    _check_finite(measure(network, recipe, first_images, first_labels)[0], recipe.epochs)
    if processes.first:
        suggest_more_steps(recipe, steps, curve[-1])
    weights = {name: value.numpy(force=True) for name, value in network.state_dict().items()}
    bright_background = background(train_set.images[:: max(1, len(train_set) // 1000)]) > 0.5  # a thousand suffice
    return Checkpoint(weights, recipe, classes, labelled.side, fold, seed, bright_background), curve


def _check_finite(loss: float, epoch: int) -> None:
    if not math.isfinite(loss):
        raise UserError(f"the loss became {loss} in epoch {epoch}; lower the recipe's lr in params.yaml")
