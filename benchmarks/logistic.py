"""scikit-learn's logistic regression against the recipe `linear`: the same model, trained by another method."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.full_data import FullData
from benchmarks.timing import Row, in_turn
from benchmarks.training import train_as_the_stage
from src.models.recipes import Recipe
from src.training.learning_curves import CurvePoint

ROUNDS = 3


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Time both to their end, and compare their accuracy on the validation set."""
    (pixels, labels), (validation_pixels, validation_labels) = (
        (one.images.reshape(len(one), -1), one.known_labels) for one in data.sets()
    )
    regression = LogisticRegression(max_iter=100)
    curves: list[list[CurvePoint]] = []
    peer, ours = in_turn(
        [
            lambda: regression.fit(pixels, labels),
            lambda: curves.append(train_as_the_stage(recipes["linear"], data.labelled)[1]),
        ],
        ROUNDS,
    )
    accuracy = np.mean(regression.predict(validation_pixels) == validation_labels)
    return [
        Row.of("(d) a linear model: seconds to train", peer, ours, digits=1),
        Row("(d) its accuracy", f"{accuracy:.4f}", f"{curves[-1][-1].validation_accuracy:.4f}", ""),
    ]
