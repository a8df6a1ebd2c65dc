"""The shortest loop that trains a network, against the one loop of this project with all that it watches."""

from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.full_data import FullData
from benchmarks.timing import Row, in_turn
from benchmarks.training import train_as_the_stage
from src.models import forward, networks, preprocessing
from src.models.device import layer_precision
from src.models.recipes import Recipe
from src.training.augmentation import random_matrices

ROUNDS = 5
IMAGES = 8400  # a quarter of an epoch


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Train each network for a quarter of an epoch both ways, without measuring a validation set."""
    quarter = data.first(IMAGES)
    images, labels = (torch.from_numpy(values[:IMAGES]) for values in (quarter.images, quarter.known_labels))
    rows = []
    for name in ("mlp", "quick", "cnn"):
        recipe = recipes[name].model_copy(update={"epochs": 1})
        bare, ours = in_turn(
            [partial(bare_epoch, recipe, images, labels), partial(train_as_the_stage, recipe, quarter)], ROUNDS
        )
        rows.append(Row.of(f"(f) {name} in a bare loop: seconds a quarter of an epoch", bare, ours, digits=2))
    return rows


def bare_epoch(recipe: Recipe, images: Tensor, labels: Tensor) -> None:
    """Train for an epoch by autograd: batches, distorted if the recipe says so, loss, step."""
    side = images.shape[1]
    network = networks.build(recipe, side, 10, seed=0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.lr, fused=True)
    matrices = torch.eye(2, 3).repeat(len(images), 1, 1)
    if recipe.preprocessing is not None:
        matrices = preprocessing.matrices(images, recipe.preprocessing)
    if recipe.augmentation is None:
        images = preprocessing.warp(images, matrices)
    generator = torch.Generator().manual_seed(0)
    precision = layer_precision(recipe.precision, images.device)
    for chosen in torch.randperm(len(labels), generator=generator).split(recipe.batch_size):
        batch = images[chosen]
        if recipe.augmentation is not None:
            random = random_matrices([len(batch)], recipe.augmentation, generator)
            batch = preprocessing.warp(batch, preprocessing.compose(matrices[chosen], random))
        logits = forward.compute(network, batch, precision)
        loss = cross_entropy(logits, labels[chosen], label_smoothing=recipe.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
