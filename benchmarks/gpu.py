"""Every recipe on a GPU, twice: seconds, validation accuracy, and whether the weights are the same to the byte.

`python -m benchmarks.gpu RECIPE FOLDER` trains a recipe on the set in a folder. It was never run on a GPU.
"""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.full_data import FOLD, FullData
from benchmarks.timing import Row
from src.core import params
from src.data import images
from src.models import networks
from src.models.determinism import repeatable
from src.models.recipes import Recipe
from src.training.loop import train

GPU = torch.device("cuda")

PEERS = {"quick": "0.762 s, 0.9904 (train_mnist_fast, GeForce GTX 1660 Ti)"}
"""What others report; it was not measured here."""


def measure(data: FullData, recipes: dict[str, Recipe]) -> Iterator[Row]:
    """Train each recipe in two processes of its own, one after the other; yield its row as soon as both are done."""
    card = f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    with TemporaryDirectory() as folder:
        labelled = data.labelled
        images.write_set(Path(folder) / "labelled", [labelled.images[:]], labelled.known_labels, labelled.known_folds)
        for name in recipes:
            command = [sys.executable, "-m", "benchmarks.gpu", name, str(Path(folder) / "labelled")]
            runs = [subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True) for _ in range(2)]
            (seconds, accuracy, first), (again, _, second) = (run.stdout.splitlines()[-1].split() for run in runs)
            same = "the same bytes" if first == second else "OTHER BYTES"
            what = f"{name} on {card}: seconds, accuracy, weights of two runs"
            yield Row(what, PEERS.get(name, ""), f"{seconds} and {again}, {accuracy}, {first} and {second}: {same}", "")


def main(name: str, folder: str) -> None:
    """Train the recipe, and print seconds, validation accuracy and the digest of the weights last."""
    recipe, labelled = params.get(f"recipes.{name}", Recipe), images.open_set(Path(folder))
    torch.zeros(1, device=GPU)  # starts CUDA
    start = time.perf_counter()
    with repeatable(networks.THREADS.get(recipe.model)):
        checkpoint, curve = train(recipe, FOLD, 0, labelled, GPU)
    seconds = time.perf_counter() - start
    digest = hashlib.sha256(b"".join(values.tobytes() for _, values in sorted(checkpoint.weights.items())))
    print(f"{seconds:.2f} {curve[-1].validation_accuracy:.4f} {digest.hexdigest()[:8]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
