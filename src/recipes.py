"""What a recipe may say: a model and how to train it."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from src import params
from src.params import Section

Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Recipe(Section):
    """An entry of the section `recipes` of params.yaml.

    Attributes:
        model: the network.
        initial_range: weights of the linear model start uniformly in [-initial_range, initial_range].
        precision: of the arithmetic in training and prediction. float64 gives equal bytes on every CPU for the linear
            model; the weights are stored as float32 all the same.
        loss: `cross_entropy`, or `rmse`: the root of the mean squared difference of probabilities and one-hot labels.
        optimizer: `sgd`.
        lr: the learning rate, at its highest.
        momentum: of sgd, in [0, 1).
        weight_decay: multiple of the weights that is added to the gradient.
        schedule: of the learning rate over all steps: `constant`, or `cosine` from `lr` to zero.
        batch_size: images a step; the last batch of an epoch may be smaller.
        epochs: passes over the training set.
        shuffle: take the images in a new random order each epoch; otherwise in the order of the set.
    """

    model: Literal["linear"]
    initial_range: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5
    precision: Literal["float32", "float64"] = "float32"
    loss: Literal["cross_entropy", "rmse"]
    optimizer: Literal["sgd"]
    lr: Rate
    momentum: Share = 0.0
    weight_decay: Share = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    batch_size: Positive
    epochs: Positive
    shuffle: bool


class Device(RootModel[Literal["cpu", "cuda", "mps"]]):
    """The key `device` of params.yaml: where torch computes."""


def load() -> Recipe:
    """Return the recipe that params.yaml names under `recipe`.

    Raises:
        UserError: there is no such recipe, or a setting is wrong.
    """
    return params.load(f"recipes.{params.load('recipe', str)}", Recipe)
