"""The loop that trains every recipe."""

import math
from collections.abc import Callable

import numpy as np
import torch

from src.core.errors import UserError
from src.core.progress import Progress
from src.data.images import ImageSet, classes_of
from src.models import forward, networks, preprocessing
from src.models.checkpoints import Checkpoint
from src.models.device import layer_precision, torch_dtype
from src.models.recipes import Recipe
from src.training import losses
from src.training.batches import BatchMeans, batches
from src.training.learning_curves import MAX_POINTS, CurvePoint, measure
from src.training.mapped import fit_into_memory, training_images
from src.training.optimization import make_optimizer, set_learning_rate


def train(
    recipe: Recipe,
    seed: int,
    train_set: ImageSet,
    validation_set: ImageSet,
    device: torch.device,
    record: Callable[[CurvePoint], None] = lambda point: None,
) -> tuple[Checkpoint, list[CurvePoint]]:
    """Train a network. The validation set is measured and never learned from.

    Args:
        recipe: what to train and how.
        seed: of everything random; equal seeds give equal networks.
        train_set: images float32 in [0, 1], shape (N, side, side), and labels.
        validation_set: the same, shape (M, side, side); M may be 0.
        device: where to train.
        record: called with each point of the learning curve as soon as it is known.

    Returns:
        The trained network, and its learning curve.

    Raises:
        UserError: the training set is smaller than a batch, its images are too small for the network, the device does
            not support the recipe's precision, or the loss becomes NaN or infinite.
    """
    if recipe.batch_size > len(train_set):
        raise UserError(
            f"params.yaml: the recipe's batch_size, {recipe.batch_size}, is more than the {len(train_set)} training "
            "images; lower it"
        )
    classes = classes_of(train_set, validation_set)
    dtype = torch_dtype(recipe.precision, device)
    generator = torch.Generator().manual_seed(seed)
    order = generator if recipe.shuffle else None
    in_memory = fit_into_memory(dtype, train_set, validation_set)
    images = training_images(train_set.images, recipe, generator, device, dtype, in_memory)
    validation_images = preprocessing.apply(validation_set.images, recipe.preprocessing if in_memory else None)
    labels = torch.from_numpy(np.searchsorted(classes, train_set.known_labels)).to(device)
    validation_labels = torch.from_numpy(np.searchsorted(classes, validation_set.known_labels)).to(device)
    network = networks.build(recipe, train_set.side, len(classes), seed).to(device)
    optimizer = make_optimizer(recipe, network)
    steps_per_epoch = math.ceil(len(train_set) / recipe.batch_size)
    epochs_per_point = math.ceil(recipe.epochs / MAX_POINTS)
    step = 0
    curve: list[CurvePoint] = []
    precision = layer_precision(recipe.precision, device)
    with Progress(f"training seed {seed} in {precision}", recipe.epochs, "epoch") as progress:
        for epoch in range(1, recipe.epochs + 1):
            network.train()
            means = BatchMeans()
            for batch, targets in images.batches(batches(len(labels), recipe.batch_size, order), labels):
                set_learning_rate(optimizer, recipe, (step + 0.5) / (recipe.epochs * steps_per_epoch))
                logits = forward.compute(network, batch, precision)
                loss = losses.BY_NAME[recipe.loss](logits, targets, label_smoothing=recipe.label_smoothing)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch's types lack it
                optimizer.step()
                means.add(logits, targets, loss)
                step += 1
            _check_finite(means.loss, epoch)
            if epoch % epochs_per_point == 0 or epoch == recipe.epochs:
                point = CurvePoint(epoch, means.loss, means.accuracy)
                if len(validation_set) > 0:
                    loss_and_accuracy = measure(network, recipe, validation_images, validation_labels, not in_memory)
                    point = CurvePoint(epoch, means.loss, means.accuracy, *loss_and_accuracy)
                curve.append(point)
                record(point)
            progress.step(curve[-1].describe() if curve and curve[-1].epoch == epoch else "")
    # the last step may have broken the network after its loss was computed
    first_images, first_labels = train_set.images[: recipe.batch_size], labels[: recipe.batch_size]
    _check_finite(measure(network, recipe, first_images, first_labels)[0], recipe.epochs)
    weights = {name: value.numpy(force=True) for name, value in network.state_dict().items()}
    return Checkpoint(weights, recipe, classes, train_set.side), curve


def _check_finite(loss: float, epoch: int) -> None:
    if not math.isfinite(loss):
        raise UserError(f"the loss became {loss} in epoch {epoch}; lower the recipe's lr in params.yaml")
