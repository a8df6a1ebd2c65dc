"""The shortest loop that trains a network, against the one loop of this project with all that it watches."""

from functools import partial

import torch
from torch.nn.functional import cross_entropy

from benchmarks.full_data import FullData
from benchmarks.timing import Row, in_turn
from src.data.images import ImageSet
from src.models import networks
from src.models.recipes import Recipe
from src.training.augmentation import distort
from src.training.loop import train

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
                partial(train, recipe, 0, quarter, nothing, torch.device("cpu")),
            ],
            ROUNDS,
        )
        rows.append(Row.of(f"(f) {name} in a bare loop: seconds a quarter of an epoch", bare, ours, digits=2))
    return rows


def bare_epoch(recipe: Recipe, train_set: ImageSet) -> None:
    """Train for an epoch by autograd: batches, distorted if the recipe says so, loss, step."""
    network = networks.build(recipe, train_set.side, 10, seed=0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.lr, fused=True)
    pixels, labels = torch.from_numpy(train_set.images), torch.from_numpy(train_set.known_labels)
    generator = torch.Generator().manual_seed(0)
    for chosen in torch.randperm(len(labels), generator=generator).split(recipe.batch_size):
        batch = pixels[chosen]
        if recipe.augmentation is not None:
            batch = distort(batch, recipe.augmentation, generator)
        loss = cross_entropy(network(batch), labels[chosen], label_smoothing=recipe.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
