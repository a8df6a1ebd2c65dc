"""Train and predict as the stages do, with torch's settings for a repeatable run and the network's threads."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from src.data.images import ImageSet
from src.inference import ensemble, members
from src.inference.predictions import Predictions
from src.models import checkpoints, networks
from src.models.checkpoints import Checkpoint
from src.models.determinism import repeatable
from src.models.recipes import Recipe
from src.training.learning_curves import CurvePoint
from src.training.loop import train

CPU = torch.device("cpu")


def train_as_the_stage(
    recipe: Recipe, train_set: ImageSet, validation_set: ImageSet, seed: int = 0
) -> tuple[Checkpoint, list[CurvePoint]]:
    """Return the trained network and its learning curve."""
    with repeatable(networks.THREADS.get(recipe.model)):
        return train(recipe, seed, train_set, validation_set, CPU)


def predict_as_the_stage(checkpoint: Checkpoint, images: NDArray[np.float32]) -> Predictions:
    """Return the predictions of an ensemble of one network for `images`, shape (N, side, side) in [0, 1]."""
    with TemporaryDirectory() as folder, repeatable():
        checkpoints.write(Path(folder) / "0.safetensors", checkpoint)
        members.write(Path(folder) / members.FILE, ["0"])
        return ensemble.predict(Path(folder), images, CPU)
