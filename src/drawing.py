"""Pictures of the data and of what the models make of it, in one style."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from src.images import ImageSet
from src.trained import Trained

INK = "gray_r"
DIVERGING = "PuOr"
SHEET_ROWS, SHEET_COLUMNS = 5, 10


def digits(train_set: ImageSet) -> Figure:
    """Draw the first images of a set with their labels."""
    shown = train_set[: SHEET_ROWS * SHEET_COLUMNS]
    return _sheet("Training digits and their labels", shown.images, [str(label) for label in shown.known_labels])


def mistakes(validation_set: ImageSet, compared: pd.DataFrame) -> Figure:
    """Draw the wrong predictions of which the model was surest, surest first."""
    wrong = compared[compared["label"] != compared["predicted"]]
    worst = wrong.sort_values("confidence", ascending=False, kind="stable").head(SHEET_ROWS * SHEET_COLUMNS)
    captions = [f"{row.label} as {row.predicted}\n{row.confidence:.2f}" for row in worst.itertuples()]
    title = "Worst mistakes: label as predicted, confidence"
    return _sheet(title, validation_set.images[worst.index.to_numpy()], captions)


def learning_curves(loss: Mapping[int, pd.DataFrame], accuracy: Mapping[int, pd.DataFrame]) -> Figure:
    """Draw loss and accuracy of both sets over the epochs, a line a seed."""
    figure = Figure(figsize=(SHEET_COLUMNS, 4), layout="constrained")
    for axis, what, by_seed in zip(figure.subplots(1, 2), ("loss", "accuracy"), (loss, accuracy), strict=True):
        for style, name in (("--", "train"), ("-", "validation")):
            for number, (seed, curve) in enumerate(by_seed.items()):
                axis.plot(curve["epoch"], curve[name], style, color=f"C{number % 10}", label=f"{name}, seed {seed}")
        axis.set_xlabel("epoch")
        axis.set_ylabel(what)
        axis.legend(fontsize=8)
    figure.suptitle("Learning curves")
    return figure


def weights(model: Trained) -> Figure:
    """Draw the weights of a linear model: what each class looks for in each pixel."""
    title = "Weights of the linear model: violet speaks for the class, orange against it"
    if model.recipe.model != "linear":
        return _nothing(title, f"The model {model.recipe.model} has no weight a pixel and class.")
    limit = float(np.abs(model.weights["weight"]).max())
    figure, axes = _grid(title, _rows(len(model.classes)))
    for axis, image, label in zip(axes, model.weights["weight"], model.classes, strict=False):
        axis.imshow(image.reshape(model.side, model.side), cmap=DIVERGING, vmin=-limit, vmax=limit)
        axis.set_title(label)
    return figure


def save(folder: Path, figures: dict[str, Figure]) -> None:
    """Write each figure as `folder/<name>.png`."""
    folder.mkdir()
    for name, figure in figures.items():
        # the version of matplotlib in the file would change its hash
        figure.savefig(folder / f"{name}.png", dpi=110, metadata={"Software": None})


def _nothing(title: str, why: str) -> Figure:
    figure = Figure(figsize=(SHEET_COLUMNS, 1.5))
    figure.suptitle(title)
    figure.text(0.5, 0.3, why, ha="center")
    return figure


def _rows(count: int) -> int:
    return -(-count // SHEET_COLUMNS)


def _sheet(title: str, images: NDArray[Any], captions: Sequence[str]) -> Figure:
    if len(images) == 0:
        return _nothing(title, "There is none.")
    figure, axes = _grid(title, _rows(len(images)))
    for axis, image, caption in zip(axes, images, captions, strict=False):
        axis.imshow(image, cmap=INK)
        axis.set_title(caption)
    return figure


def _grid(title: str, rows: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(SHEET_COLUMNS, 0.5 + 1.3 * rows), layout="constrained")
    figure.suptitle(title)
    axes = list(figure.subplots(rows, SHEET_COLUMNS, squeeze=False).flat)
    for axis in axes:
        axis.set_axis_off()
        axis.title.set_fontsize(9)
    return figure, axes
