"""Train as the stage does, with torch's settings for a repeatable run and the network's threads, and count errors."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.full_data import FOLD
from src.data.images import ImageSet
from src.inference import ensemble
from src.models import checkpoints, networks
from src.models.checkpoints import Checkpoint
from src.models.determinism import repeatable
from src.models.recipes import Recipe
from src.training.learning_curves import CurvePoint
from src.training.loop import train

CPU = torch.device("cpu")


def train_as_the_stage(recipe: Recipe, labelled: ImageSet, seed: int = 0) -> tuple[Checkpoint, list[CurvePoint]]:
    """Return the network that `FOLD` validates, and its learning curve."""
    with repeatable(networks.THREADS.get(recipe.model)):
        return train(recipe, FOLD, seed, labelled, CPU)


def count_errors(checkpoint: Checkpoint, labelled: ImageSet) -> int:
    """Return how many images of `FOLD` are misclassified by the network as its file holds it, as `evaluate` counts."""
    _, validation_set = labelled.split(FOLD)
    with TemporaryDirectory() as folder, repeatable():
        checkpoints.write(Path(folder) / f"{FOLD}-{checkpoint.seed}.safetensors", checkpoint)
        predictor = ensemble.Ensemble(ensemble.read(Path(folder)), CPU)
        predicted = [block[:, 0].argmax(axis=1) for block in predictor.predict(validation_set.images)]
    return int(np.sum(predictor.classes[np.concatenate(predicted)] != validation_set.known_labels))
