"""The recipe, which is a model and how to train it, and the device, as params.yaml gives them."""

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel, ValidationInfo, field_validator

from src.core import params
from src.core.params import Section

Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1e6)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Limit = Annotated[float, Field(ge=0, allow_inf_nan=False)]

SIDE = 28
"""Shifts and widths of a recipe are in pixels of images of this side; they are scaled for images of another side."""

USED_BY = {
    "channels": ("model", ("quick", "cnn")),
    "initial_range": ("model", ("linear",)),
    "momentum": ("optimizer", ("sgd",)),
    "betas": ("optimizer", ("adamw",)),
}
"""The keys of a recipe that some models or optimizers ignore, and those that use them."""


class Augmentation(Section):
    """The key `augmentation` of a recipe: the limits of the random changes of an image.

    Attributes:
        rotation: angle, in degrees.
        zoom: relative change of the scale of each axis, independently, below 1.
        shear: horizontal, in pixels for each pixel of height.
        shift: translation along each axis, in pixels of an image of 28x28.
    """

    rotation: Limit = 0.0
    zoom: Fraction = 0.0
    shear: Limit = 0.0
    shift: Annotated[float, Field(ge=0, lt=SIDE)] = 0.0


class Preprocessing(Section):
    """The key `preprocessing` of a recipe: what is done to every image, in training and in prediction.

    Attributes:
        deslant: shear each digit so that its ink leans neither left nor right.
        width: scale each digit to this width, in pixels of a 28x28 image, by a factor of at most 2; None leaves it.
    """

    deslant: bool = False
    width: Positive | None = None


class Recipe(Section):
    """An entry of the section `recipes` of params.yaml.

    Attributes:
        model: the name of the network.
        channels: output channels of each convolution; None leaves those of the network.
        initial_range: the initial weights of the linear model are uniform in [-initial_range, initial_range].
        precision: of the arithmetic in training and prediction. With float64 the linear model has the same bytes on
            every CPU, although its weights are stored as float32. bfloat16 is automatic mixed precision in training,
            where the device has bfloat16 instructions, or float16 on a GPU that has only those, and float32 elsewhere
            and in prediction; weights, loss and the statistics of batch normalizations are always float32.
        loss: `cross_entropy`, or `rmse`: the root of the mean squared difference of probabilities and one-hot labels.
        label_smoothing: fraction of the target probability that is spread evenly over all classes, in training only.
        optimizer: `sgd`, or `adamw`.
        lr: the highest learning rate.
        momentum: of sgd.
        betas: of adamw: decay rates of the running means of the gradients and of their squares.
        weight_decay: of all weights except biases and batch normalizations.
        warm_up: fraction of the steps in which the learning rate rises linearly from zero to `lr`.
        schedule: of the learning rate after the warm-up: `constant`, or `linear` or `cosine` decay to zero.
        batch_size: images per step, but at most a thirtieth of the training images; the last batch of an epoch may be
            smaller.
        epochs: passes over the training set.
        shuffle: take the images in a new random order in each epoch; otherwise in the order of the set.
        preprocessing: of all images, if any.
        augmentation: random affine transformation of the training images.
        test_time_shift: in pixels of an image of 28x28; low-confidence probabilities are averaged over the image and
            its eight copies shifted by that much. 0 takes the image alone.
    """

    model: Literal["linear", "mlp", "quick", "cnn"]
    channels: list[Positive] | None = None
    initial_range: Limit = 0.5
    precision: Literal["float32", "float64", "bfloat16"] = "float32"
    loss: Literal["cross_entropy", "rmse"]
    label_smoothing: Fraction = 0.0
    optimizer: Literal["sgd", "adamw"]
    lr: Rate
    momentum: Fraction = 0.0
    betas: Annotated[list[Fraction], Field(min_length=2, max_length=2)] = Field(default=[0.9, 0.99])
    weight_decay: Fraction = 0.0
    warm_up: Fraction = 0.0
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    batch_size: Positive
    epochs: Positive
    shuffle: bool
    preprocessing: Preprocessing | None = None
    augmentation: Augmentation | None = None
    test_time_shift: Annotated[int, Field(ge=0, lt=SIDE)] = 0

    def view_shift(self, side: int) -> int:
        """Return `test_time_shift` in whole pixels of images of `side` pixels."""
        return round(self.test_time_shift * side / SIDE)

    @field_validator(*USED_BY)
    @classmethod
    def _has_effect(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse a key in the file that the recipe's model or optimizer would ignore."""
        chooser, users = USED_BY[info.field_name or ""]
        if (chosen := info.data.get(chooser)) and chosen not in users:
            raise ValueError(f"it has no effect with the {chooser} {chosen}; remove it")
        return value


class Device(RootModel[Literal["cpu", "cuda", "mps"]]):
    """The key `device` of params.yaml."""


def get(name: str) -> Recipe:
    """Return the recipe of that name in params.yaml.

    Raises:
        UserError: there is no such recipe, or a setting is wrong.
    """
    return params.get(f"recipes.{name}", Recipe)
