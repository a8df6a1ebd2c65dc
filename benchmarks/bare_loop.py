"""The shortest loop that trains a network, against the one loop of this project with all that it watches."""

from functools import partial

import torch
from torch.nn.functional import cross_entropy

from benchmarks.full_data import FullData
from benchmarks.timing import Row, in_turn
from benchmarks.training import train_as_the_stage
from src.data.images import ImageSet
from src.models import forward, networks, preprocessing
from src.models.device import layer_precision
from src.models.recipes import Recipe
from src.training.augmentation import random_matrices

ROUNDS = 5


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Train each network for a quarter of an epoch both ways, without measuring the validation set."""
    quarter, nothing = data.train_set[: len(data.train_set) // 4], data.validation_set[:0]
    rows = []
    for name in ("mlp", "quick", "cnn"):
        recipe = recipes[name].model_copy(update={"epochs": 1})
        bare, ours = in_turn(
            [
                partial(bare_epoch, recipe, quarter),
                partial(train_as_the_stage, recipe, quarter, nothing),
            ],
            ROUNDS,
        )
        rows.append(Row.of(f"(f) {name} in a bare loop: seconds a quarter of an epoch", bare, ours, digits=2))
    return rows


def bare_epoch(recipe: Recipe, train_set: ImageSet) -> None:
    """Train for an epoch by autograd: batches, distorted if the recipe says so, loss, step."""
    network = networks.build(recipe, train_set.side, 10, seed=0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.lr, fused=True)
    images, labels = torch.from_numpy(train_set.images), torch.from_numpy(train_set.known_labels)
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
            random = random_matrices(len(batch), train_set.side, recipe.augmentation, generator)
            batch = preprocessing.warp(batch, preprocessing.compose(matrices[chosen], random))
        loss = cross_entropy(
            forward.compute(network, batch, precision), labels[chosen], label_smoothing=recipe.label_smoothing
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
