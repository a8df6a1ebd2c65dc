"""scikit-learn's logistic regression against the recipe `linear`: the same model, trained by another method."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.full_data import FullData
from benchmarks.timing import Row, in_turn
from benchmarks.training import train_as_the_stage
from src.models.recipes import Recipe

ROUNDS = 3


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Time both to their end, and compare their accuracy on the validation set."""
    pixels, labels = data.train_set.images.reshape(len(data.train_set), -1), data.train_set.known_labels
    regression = LogisticRegression(max_iter=100)
    recipe = recipes["linear"]
    peer, ours = in_turn(
        [
            lambda: regression.fit(pixels, labels),
            lambda: train_as_the_stage(recipe, data.train_set, data.validation_set),
        ],
        ROUNDS,
    )
    validation_pixels = data.validation_set.images.reshape(len(data.validation_set), -1)
    peer_accuracy = np.mean(regression.predict(validation_pixels) == data.validation_set.known_labels)
    _, curve = train_as_the_stage(recipe, data.train_set, data.validation_set)
    return [
        Row.of("(d) a linear model: seconds to train", peer, ours, digits=1),
        Row("(d) its accuracy", f"{peer_accuracy:.4f}", f"{curve[-1].validation_accuracy:.4f}", ""),
    ]
