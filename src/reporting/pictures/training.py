"""Pictures of training: learning curves, and the weights of a linear model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import load_file

from src.reporting.pictures.style import DIVERGING, SETS, Picture, chart, image_grid, names_of


def learning_curves(loss: Mapping[str, pd.DataFrame], accuracy: Mapping[str, pd.DataFrame]) -> Picture:
    """Draw loss and accuracy of both sets over the epochs, one line per network."""
    title = "Learning curves" if len(loss) == 1 else f"Learning curves, one line for each of {len(loss)} networks"
    figure = chart(title, 3)
    texts = []
    for axes, quantity, by_member in zip(figure.subplots(1, 2), ("loss", "accuracy"), (loss, accuracy), strict=True):
        for name, column in (("training", "train"), ("validation", "validation")):
            for number, curve in enumerate(by_member.values()):
                marker = "o" if len(curve) == 1 else None  # a single epoch makes no line
                axes.plot(
                    curve["epoch"], curve[column], marker=marker, label="" if number else name, alpha=0.85, **SETS[name]
                )
            first, last = (np.mean([curve[column].iloc[at] for curve in by_member.values()]) for at in (0, -1))
            texts.append(f"{name} {quantity} from {first:.3f} to {last:.3f}")
        axes.set(xlabel="epoch", ylabel=quantity)
        axes.locator_params("x", integer=True, min_n_ticks=1)
        axes.legend()
    epochs = max(int(curve["epoch"].max()) for curve in loss.values())
    networks = "" if len(loss) == 1 else f" and {len(loss)} networks (their mean)"
    return Picture(f"Over {epochs} epochs{networks}: {', '.join(texts)}.", figure)


def linear_weights(models_dir: Path, classes: NDArray[Any]) -> Picture:
    """Draw the weights of one of the models, one image per class, if it is linear."""
    checkpoint = min(models_dir.glob("*.safetensors"))
    weights = load_file(checkpoint)
    if set(weights) != {"weight", "bias"}:
        return Picture("There are no weights to draw: only a linear model has one weight per pixel and class.")
    side = round(weights["weight"].shape[1] ** 0.5)
    by_class = weights["weight"].reshape(-1, side, side)
    limit = float(np.abs(by_class).max())
    title = "Weights: violet is evidence for the class, orange against it"
    figure = image_grid(title, by_class, [*names_of(classes).values()], DIVERGING, (-limit, limit))
    return Picture(f"The weight of each pixel, one image per class, between {-limit:.2f} and {limit:.2f}.", figure)
