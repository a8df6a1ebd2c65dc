"""Split labelled images into a training set and a validation set."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from src.core.errors import UserError
from src.core.params import Section
from src.data.images import count_classes


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


def class_balance(labels: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Return how many images of each class every set has, given the labels of each, shape (N,), by the set's name.

    There is one row per class, with the columns `class` and the sets' names.
    """
    classes = np.unique(np.concatenate([*labels.values()]))
    return pd.DataFrame({"class": classes, **{name: count_classes(one, classes) for name, one in labels.items()}})
