"""The notebook's algorithm as the notebook writes it, against the recipe `notebook`; and the floor under both."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch.utils.data import DataLoader

from benchmarks.full_data import FullData
from benchmarks.timing import Row, in_turn
from benchmarks.training import train_as_the_stage
from src.data.images import ImageSet
from src.models.recipes import Recipe

PEER_EPOCHS = 10
EPOCHS = 100  # of the recipe, of 502
ROUNDS = 3


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Time an epoch of both, and what no epoch can go below: its two matrix products, and a pass over the data."""
    recipe = recipes["notebook"].model_copy(update={"epochs": EPOCHS})
    train_set, _ = data.sets()
    pairs, labelled = list_of_pairs(train_set), data.first(len(train_set))
    pixels = torch.from_numpy(train_set.images).flatten(1)
    peer, ours, products, one_pass = in_turn(
        [
            lambda: notebook_epochs(pairs),
            lambda: train_as_the_stage(recipe, labelled),
            lambda: [matrix_products(pixels, recipe.batch_size) for _ in range(PEER_EPOCHS)],
            lambda: [pixels.sum() for _ in range(PEER_EPOCHS)],
        ],
        ROUNDS,
    )
    epoch = [seconds / EPOCHS for seconds in ours]
    rows = {
        "(a) the notebook's algorithm: seconds an epoch": peer,
        "(e) its two matrix products alone": products,
        "(e) one pass over the images": one_pass,
    }
    return [
        Row.of(what, [seconds / PEER_EPOCHS for seconds in theirs], epoch, digits=3) for what, theirs in rows.items()
    ]


def list_of_pairs(train_set: ImageSet) -> list[tuple[Tensor, Tensor]]:
    """Return the notebook's data set: a list of pairs of an image (784,) and a one-hot label (10,)."""
    pixels = torch.from_numpy(train_set.images).flatten(1)
    return list(zip(pixels, one_hot(torch.from_numpy(train_set.known_labels)).float(), strict=True))


def notebook_epochs(pairs: list[tuple[Tensor, Tensor]]) -> None:
    """Train as the notebook does: a DataLoader, images first, plain steps, and accuracy column by column."""
    weights = (torch.rand(len(pairs[0][0]), 10) - 0.5).requires_grad_()
    bias = (torch.rand(10) - 0.5).requires_grad_()
    for _ in range(PEER_EPOCHS):
        accuracies = []
        for images, targets in DataLoader(pairs, batch_size=256):
            probabilities = (images @ weights + bias).softmax(dim=1)
            loss = ((probabilities - targets) ** 2).mean().sqrt()
            loss.backward()
            with torch.no_grad():
                for parameter in (weights, bias):
                    parameter -= 0.01 * parameter.grad
                    parameter.grad.zero_()
                right = [((probabilities[:, k] > 0.5) == targets[:, k].bool()).float().mean() for k in range(10)]
                accuracies.append(torch.stack(right).mean())
        torch.stack(accuracies).mean()


def matrix_products(pixels: Tensor, batch_size: int) -> None:
    """Do the two products of an epoch, forward and backward, classes first, and nothing else."""
    weight = torch.rand(10, pixels.shape[1])
    gradient = torch.rand(10, batch_size)
    for batch in torch.split(pixels, batch_size):
        weight @ batch.T
        gradient[:, : len(batch)] @ batch
