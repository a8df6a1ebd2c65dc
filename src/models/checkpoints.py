"""Checkpoints: a trained network and all that is needed to use it, in one safetensors file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from src.core.errors import UserError
from src.core.outputs import replacing
from src.models.recipes import Recipe


@dataclass(frozen=True)
class Checkpoint:
    """A trained network.

    Attributes:
        weights: the arrays of the network by name; float32 in the file.
        recipe: how it was trained.
        classes: the label of each logit, shape (C,).
        side: height and width of an image, in pixels.
        fold: the number of the fold that it was not trained on.
        seed: of its training.
        bright_background: whether the images that it was trained on have a bright background.
    """

    weights: dict[str, NDArray[Any]]
    recipe: Recipe
    classes: NDArray[Any]
    side: int
    fold: int
    seed: int
    bright_background: bool


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint as safetensors, with everything else in the metadata."""
    # one key: safetensors writes several in random order, and equal checkpoints would differ in their bytes
    description = {
        "recipe": checkpoint.recipe.model_dump(exclude_defaults=True),
        "classes": checkpoint.classes.tolist(),
        "side": checkpoint.side,
        "fold": checkpoint.fold,
        "seed": checkpoint.seed,
        "bright_background": checkpoint.bright_background,
    }
    weights = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in checkpoint.weights.items()}
    with replacing(path) as temporary:
        # safetensors' own function for files does not say that the disk is full
        temporary.write_bytes(save(weights, {"model": json.dumps(description)}))


def read(path: Path) -> Checkpoint:
    """Return the checkpoint that `write` wrote.

    Raises:
        UserError: the file is missing or is not a checkpoint.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            description = json.loads(file.metadata()["model"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - the file is not iterable
        return Checkpoint(
            weights,
            Recipe.model_validate(description["recipe"]),
            np.array(description["classes"]),
            *(description[name] for name in ("side", "fold", "seed", "bright_background")),
        )
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such model; run `dvc repro`") from None
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a model of this pipeline ({error}); run `dvc repro`") from None
