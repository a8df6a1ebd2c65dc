"""Split labelled images into a training set and a validation set."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from src.core.errors import UserError
from src.core.params import Section


class SplitParams(Section):
    """Section `split` of params.yaml.

    Attributes:
        train_fraction: fraction of the labelled images to train on, in (0, 1]; 1 leaves no validation set.
        shuffle: draw the training images at random; otherwise they are the first ones of the file.
        seed: of the random order; it has no effect without `shuffle`.
    """

    train_fraction: Annotated[float, Field(gt=0, le=1)]
    shuffle: bool
    seed: Annotated[int, Field(ge=0)]


def split(count: int, params: SplitParams) -> dict[str, NDArray[np.int64]]:
    """Return which of `count` labelled images make up the sets `train` and `validation`: each is in exactly one.

    Raises:
        UserError: the fraction leaves no image to train on.
    """
    size = round(count * params.train_fraction)
    if size == 0:
        raise UserError(
            f"params.yaml: split.train_fraction: {params.train_fraction} of {count} images leaves none to train on; "
            "raise it"
        )
    order = np.arange(count)
    if params.shuffle:
        np.random.default_rng(params.seed).shuffle(order)
    return {"train": order[:size], "validation": order[size:]}
