"""Every recipe on a GPU: captured steps twice, eager steps once, with seconds, validation accuracy and digest of each.

`python -m benchmarks.gpu RECIPE FOLDER STEP` trains a recipe on the set in a folder. It was never run on a GPU.
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
from src.training.processes import ALONE, Processes

GPU = torch.device("cuda")

PEERS = {"quick": "0.762 s, 0.9904 (train_mnist_fast, GeForce GTX 1660 Ti)"}
"""What others report; it was not measured here."""


def measure(data: FullData, recipes: dict[str, Recipe]) -> Iterator[Row]:
    """Train each recipe in three processes, one after the other; yield its row as soon as they are done."""
    card = f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    with TemporaryDirectory() as folder:
        labelled = data.labelled
        images.write_set(Path(folder) / "labelled", [labelled.images[:]], labelled.known_labels, labelled.known_folds)
        for name in recipes:
            command = [sys.executable, "-m", "benchmarks.gpu", name, str(Path(folder) / "labelled")]
            first, second, eager = (
                subprocess.run([*command, step], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1]
                for step in ("captured", "captured", "eager")
            )
            same = "the same bytes" if first.split()[1:] == second.split()[1:] else "OTHER BYTES"
            what = f"{name} on {card}: seconds, accuracy, weights"
            yield Row(what, PEERS.get(name, ""), f"{first}; {second}: {same}; eager steps {eager}", "")


def main(name: str, folder: str, step: str) -> None:
    """Train the recipe, and print seconds, validation accuracy and the digest of the weights last."""
    recipe, labelled = params.get(f"recipes.{name}", Recipe), images.open_set(Path(folder))
    processes = ALONE if step == "captured" else Processes()
    with repeatable(networks.THREADS.get(recipe.model)):
        # starts CUDA and its libraries, and imports what torch imports with the first optimizer
        train(recipe.model_copy(update={"epochs": 1}), FOLD, 0, labelled, GPU, processes=processes)
        start = time.perf_counter()
        checkpoint, curve = train(recipe, FOLD, 0, labelled, GPU, processes=processes)
        seconds = time.perf_counter() - start
    digest = hashlib.sha256(b"".join(values.tobytes() for _, values in sorted(checkpoint.weights.items())))
    print(f"{seconds:.2f} {curve[-1].validation_accuracy:.4f} {digest.hexdigest()[:8]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
