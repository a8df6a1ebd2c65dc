"""Train as the stage `train` does, with torch's settings for a repeatable run and the network's number of threads."""

import torch

from src.data.images import ImageSet
from src.models import networks
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
