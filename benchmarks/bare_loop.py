"""The shortest loop that trains a network, against the one loop of this project with all that it watches."""

import torch
from torch.nn.functional import cross_entropy

from benchmarks.full_data import FullData
from benchmarks.timing import Row, in_turn
from src import models
from src.images import ImageSet
from src.recipes import Recipe
from src.training import train

ROUNDS = 5


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Train `quick` for an epoch both ways, without measuring the validation set."""
    recipe = recipes["quick"].model_copy(update={"epochs": 1})
    nothing = data.validation_set[:0]
    bare, ours = in_turn(
        [
            lambda: bare_epoch(recipe, data.train_set),
            lambda: train(recipe, 0, data.train_set, nothing, torch.device("cpu")),
        ],
        ROUNDS,
    )
    return [Row.of("(f) quick in a bare loop: seconds an epoch", bare, ours, digits=2)]


def bare_epoch(recipe: Recipe, train_set: ImageSet) -> None:
    """Train for an epoch by autograd: batches, loss, step."""
    network = models.build(recipe, train_set.side, 10, seed=0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.lr, fused=True)
    pixels, labels = torch.from_numpy(train_set.images), torch.from_numpy(train_set.known_labels)
    for chosen in torch.randperm(len(labels)).split(recipe.batch_size):
        loss = cross_entropy(network(pixels[chosen]), labels[chosen], label_smoothing=recipe.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
