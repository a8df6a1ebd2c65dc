"""The network and schedule of PyTorch's official MNIST example, against the recipe `quick`: seconds to an accuracy.

Two 3x3 convolutions of 32 and 64 channels, max-pooling, dropout, 128 units; Adadelta with a rate that falls by 0.7 an
epoch, batches of 64, 14 epochs.
"""

import time

import torch
from torch import Tensor, nn
from torch.nn.functional import nll_loss
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.full_data import FullData
from benchmarks.timing import Row
from benchmarks.training import train_as_the_stage
from src.data.images import ImageSet
from src.models.recipes import Recipe

EPOCHS = 14
SEEDS = 5


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Train the peer once and note its best accuracy and when it was reached; see that `quick` reaches it, and when.

    There is no row of seconds where a seed of `quick` stays below.
    """
    best, peer_seconds = example(*data.sets())
    seconds, accuracies = [], []
    for seed in range(SEEDS):
        start = time.perf_counter()
        _, curve = train_as_the_stage(recipes["quick"], data.labelled, seed)
        seconds.append(time.perf_counter() - start)
        accuracies.append(curve[-1].validation_accuracy)
    what = "(b) accuracy: best of the peer's epochs, least of quick's seeds"
    rows = [Row(what, f"{best:.4f}", f"{min(accuracies):.4f}", "")]
    if min(accuracies) >= best:
        rows.append(Row.of("(b) seconds until the peer's best accuracy", [peer_seconds] * SEEDS, seconds, digits=1))
    return rows


def example(train_set: ImageSet, validation_set: ImageSet) -> tuple[float, float]:
    """Return the best accuracy after an epoch, and the seconds until it was reached."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10), nn.LogSoftmax(dim=1),
    )  # fmt: skip
    optimizer = torch.optim.Adadelta(network.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    loader = DataLoader(TensorDataset(*tensors(train_set)), batch_size=64, shuffle=True)
    best, reached = 0.0, 0.0
    start = time.perf_counter()
    for _ in range(EPOCHS):
        network.train()
        for images, labels in loader:
            optimizer.zero_grad()
            nll_loss(network(images), labels).backward()
            optimizer.step()
        schedule.step()
        if (accuracy := accuracy_of(network, *tensors(validation_set))) > best:
            best, reached = accuracy, time.perf_counter() - start
    return best, reached


def tensors(one: ImageSet) -> tuple[Tensor, Tensor]:
    """Return images (N, 1, side, side), standardized as the example does, and labels (N,)."""
    return (torch.from_numpy(one.images)[:, None] - 0.1307) / 0.3081, torch.from_numpy(one.known_labels)


@torch.no_grad()
def accuracy_of(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose most probable label is right."""
    network.eval()
    right = sum(int((network(batch).argmax(dim=1) == truth).sum()) for batch, truth in
                zip(torch.split(images, 1000), torch.split(labels, 1000), strict=True))  # fmt: skip
    return right / len(labels)
