"""Pictures of the data and of what the models make of it, in one style."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from src import images
from src.images import ImageSet
from src.progress import Progress
from src.trained import Trained

WIDTH = 7.2  # inches; a page shows an inch as 100 of its pixels
DPI = 150
COLUMNS, FEW = 10, 5  # images in a row: of single digits, of whole classes
SHEET = 4 * COLUMNS
DOUBTFUL = 10
BINS = 10
CHUNK = 1000

# training, validation and test differ in colour, in lightness and in the dashes of a line
SETS: dict[str, dict[str, Any]] = {
    "training": {"color": "#0072b2", "linestyle": "--"},
    "validation": {"color": "#d55e00", "linestyle": "-"},
    "test": {"color": "#333333", "linestyle": ":"},
}
INK = "gray_r"
ERRORS = "Oranges"
DIVERGING = "PuOr"
PLAIN = "{x:g}"  # of the ticks of a log axis, which would be formulas
STYLE: Any = {
    "font.size": 9,
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "figure.titlesize": 10,
    "figure.titleweight": "bold",
    "grid.color": "#e4e4e4",
    "hatch.color": "white",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "text.parse_math": False,  # a label may hold dollar signs
}
# the person's own matplotlibrc must not change a picture's bytes
mpl.rcdefaults()
mpl.rcParams.update(STYLE)


@dataclass(frozen=True)
class Picture:
    """A picture and what it shows.

    Attributes:
        text: what it shows in words, with the figures of the run, for those who do not see it; without a figure the
            sentence that stands in its place.
        figure: None where there is nothing to draw.
    """

    text: str
    figure: Figure | None = None


def digits(train_set: ImageSet) -> Picture:
    """Draw the first images of the training set with their labels."""
    shown = train_set[:SHEET]
    labels = [str(label) for label in shown.known_labels]
    text = f"The first {len(shown)} images of the training set, each under its label: {', '.join(labels)}."
    return Picture(text, _sheet("Training images under their labels", shown.images, labels))


def balance(train_set: ImageSet, validation_set: ImageSet) -> Picture:
    """Draw which share of each set belongs to each class."""
    known = images.classes(train_set, validation_set)
    figure = _chart("Class balance of both sides of the split", 2.8)
    axis = figure.subplots()
    texts, missing = [], []
    width = 0.4
    sets = {"training": train_set, "validation": validation_set}
    for offset, (name, one) in zip((-width / 2, width / 2), sets.items(), strict=True):
        if len(one) == 0:
            missing.append(f"The {name} set is empty.")
            continue
        counts = np.array([np.sum(one.known_labels == label) for label in known])
        shares = 100 * counts / len(one)
        hatch = "///" if name == "validation" else None
        label = f"{name}, {len(one):,} images"
        axis.bar(np.arange(len(known)) + offset, shares, width, color=SETS[name]["color"], hatch=hatch, label=label)
        texts.append(f"{name}: {len(one):,} images, between {shares.min():.1f} and {shares.max():.1f} % a class")
        missing += [f"No {label} in the {name} set." for label in known[counts == 0]]
    axis.set_title(" ".join(missing))
    _name_classes(axis, known)
    axis.grid(axis="x", visible=False)
    axis.set(xlabel="class", ylabel="share of the set (%)")
    axis.margins(x=0.01, y=0.2)
    axis.legend(ncols=2, loc="upper left")
    return Picture(f"Share of each class in each set. {'; '.join(texts)}. {' '.join(missing)}".strip(), figure)


def pixels(sets: Mapping[str, ImageSet]) -> Picture:
    """Draw how the pixel values of normalized sets, by the names in `SETS`, spread over [0, 1]."""
    figure = _chart("Pixel values after normalize", 2.6)
    axis = figure.subplots()
    edges = np.linspace(0, 256, 33) / 256
    texts = []
    for name, one in sets.items():
        if len(one) == 0:
            continue
        counts = np.zeros(256, dtype=np.int64)
        for start in range(0, len(one), CHUNK):
            grey_levels = np.rint(one.images[start : start + CHUNK] * 255).astype(np.uint8)
            counts += np.bincount(grey_levels.ravel(), minlength=256)
        shares = counts.reshape(32, 8).sum(axis=1) / counts.sum()
        axis.step(edges, 100 * np.append(shares, shares[-1]), where="post", label=name, **SETS[name])
        texts.append(f"{name}: {counts[0] / counts.sum():.0%} empty, {counts[255] / counts.sum():.1%} full ink")
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(PLAIN)
    axis.set(xlabel="pixel value, from 0 (paper) to 1 (ink)", ylabel="share of pixels (%)")
    axis.legend(ncols=len(SETS))
    return Picture(f"Distribution of the pixel values in 32 equal bins. {'; '.join(texts)}.", figure)


def means(train_set: ImageSet) -> Picture:
    """Draw the mean image of each class of the training set."""
    known = np.unique(train_set.known_labels)
    mean_images = [train_set.images[train_set.known_labels == label].mean(axis=0, dtype=np.float64) for label in known]
    labels = [str(label) for label in known]
    text = f"The mean training image of each of the {len(known)} classes: {', '.join(labels)}."
    return Picture(text, _sheet("Mean training image of each class", mean_images, labels, columns=FEW))


def learning_curves(loss: Mapping[int, pd.DataFrame], accuracy: Mapping[int, pd.DataFrame]) -> Picture:
    """Draw loss and accuracy of both sets over the epochs, a line a seed."""
    title = "Learning curves" if len(loss) == 1 else f"Learning curves, a line for each of {len(loss)} seeds"
    figure = _chart(title, 3)
    texts = []
    for axis, what, by_seed in zip(figure.subplots(1, 2), ("loss", "accuracy"), (loss, accuracy), strict=True):
        for name, column in (("training", "train"), ("validation", "validation")):
            drawn = [curve for curve in by_seed.values() if curve[column].notna().any()]
            for number, curve in enumerate(drawn):
                # a single epoch makes no line
                marker = "o" if len(curve) == 1 else None
                axis.plot(
                    curve["epoch"], curve[column], marker=marker, label="" if number else name, alpha=0.85, **SETS[name]
                )
            if drawn:
                first, last = (np.mean([curve[column].iloc[at] for curve in drawn]) for at in (0, -1))
                texts.append(f"{name} {what} from {first:.3f} to {last:.3f}")
        axis.set(xlabel="epoch", ylabel=what)
        axis.legend()
    if not any("validation" in text for text in texts):
        texts.append("there is no validation set")
    epochs = max(int(curve["epoch"].max()) for curve in loss.values())
    return Picture(f"Over {epochs} epochs and {len(loss)} seeds (their mean): {', '.join(texts)}.", figure)


def weights(model: Trained, seed: int) -> Picture:
    """Draw the weights of a linear model: what each class looks for in each pixel."""
    if model.recipe.model != "linear":
        return Picture(f"The model {model.recipe.model} has no weight for each pixel and class that one could draw.")
    by_class = model.weights["weight"].reshape(-1, model.side, model.side)
    limit = float(np.abs(by_class).max())
    title = f"Weights of the linear model, seed {seed}: violet speaks for the class, orange against"
    figure = _sheet(
        title, by_class, [str(label) for label in model.classes], columns=FEW, cmap=DIVERGING, limits=(-limit, limit)
    )
    text = f"The weight that each class gives to each pixel, an image a class, between {-limit:.2f} and {limit:.2f}."
    return Picture(text, figure)


def confusion(compared: pd.DataFrame, known: NDArray[Any]) -> Picture:
    """Draw how often an image of each class was taken for each class; `known` are all classes, shape (C,)."""
    if compared.empty:
        return _no_validation("confusion matrix")
    names = [str(label) for label in known]
    counts = pd.crosstab(compared["label"], compared["predicted"]).reindex(index=names, columns=names, fill_value=0)
    errors = counts.to_numpy(dtype=float, copy=True)
    np.fill_diagonal(errors, np.nan)
    most = max(1.0, np.nanmax(errors))
    inches = min(WIDTH, 1.8 + 0.4 * len(names))
    figure = _chart("Confusion of labels on the validation set", inches, inches)
    axis = figure.subplots()
    cmap = mpl.colormaps[ERRORS].with_extremes(bad="#eeeeee")
    axis.imshow(errors, cmap=cmap, vmin=0, vmax=most)
    for (row, column), count in np.ndenumerate(counts.to_numpy()):
        if count:
            dark = row != column and count > 0.6 * most
            axis.text(
                column, row, str(count), ha="center", va="center", color="white" if dark else "black",
                fontsize=max(5, min(9, 120 / len(names))),
            )  # fmt: skip
    axis.grid(visible=False)
    _name_classes(axis, known)
    axis.set_yticks(range(len(names)), [_short(name) for name in names])
    axis.set(xlabel="predicted label", ylabel="label")
    wrong = compared[compared["label"] != compared["predicted"]]
    often: dict[Any, int] = (
        wrong.groupby(["label", "predicted"]).size().sort_values(ascending=False, kind="stable").head(3).to_dict()
    )
    pairs = ", ".join(f"{label} as {predicted} {count} times" for (label, predicted), count in often.items())
    text = f"{len(compared) - len(wrong):,} of {len(compared):,} images lie on the diagonal, where label and prediction"
    return Picture(f"{text} agree. {f'Most often confused: {pairs}.' if pairs else 'There is no mistake.'}", figure)


def reliability(compared: pd.DataFrame) -> Picture:
    """Draw, for images of like confidence, which share of them is right."""
    if compared.empty:
        return _no_validation("reliability diagram")
    bins = np.minimum((compared["confidence"] * BINS).astype(int), BINS - 1)
    right = compared["label"] == compared["predicted"]
    groups = pd.DataFrame({"confidence": compared["confidence"], "right": right}).groupby(bins)
    mean, sizes = groups.mean(), groups.size()
    figure = _chart("Reliability: is the confidence deserved?", 4.8, 4.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], ":", color="#777777", label="as right as it is sure")
    upper.plot(mean["confidence"], mean["right"], "o-", color=SETS["validation"]["color"], label="validation set")
    upper.set(xlim=(0, 1.02), ylim=(0, 1.02), ylabel="share that is right")
    upper.legend(loc="upper left")
    lower.bar(sizes.index / BINS, sizes, width=1 / BINS, align="edge", color="#888888", edgecolor="white")
    lower.set(xlabel="confidence", ylabel="images", yscale="log", ylim=(0.7, None))
    lower.yaxis.set_major_formatter(PLAIN)
    gap = float(np.average(np.abs(mean["confidence"] - mean["right"]), weights=sizes))
    text = (
        f"The mean confidence is {compared['confidence'].mean():.3f} and {right.mean():.3f} of the images are right; "
    )
    return Picture(f"{text}within bins of like confidence the two differ by {gap:.3f} on average.", figure)


def mistakes(validation_set: ImageSet, compared: pd.DataFrame) -> Picture:
    """Draw the wrong predictions of which the model was surest, surest first."""
    if compared.empty:
        return _no_validation("mistakes to show")
    wrong = compared[compared["label"] != compared["predicted"]]
    if wrong.empty:
        return Picture("There is no mistake on the validation set.")
    worst = wrong.sort_values("confidence", ascending=False, kind="stable").head(SHEET)
    top = worst.iloc[0]
    text = f"The {len(worst)} of {len(wrong):,} mistakes of which the model was surest, first a {top['label']} taken "
    return Picture(
        f"{text}for a {top['predicted']} with confidence {top['confidence']:.2f}.",
        _compared_sheet("Worst mistakes: label → predicted label, confidence", validation_set, worst),
    )


def doubtful(validation_set: ImageSet, compared: pd.DataFrame) -> Picture:
    """Draw the validation images of which the model was least sure, right or wrong."""
    if compared.empty:
        return _no_validation("doubtful validation images")
    least = compared.sort_values("confidence", kind="stable").head(DOUBTFUL)
    right = int((least["label"] == least["predicted"]).sum())
    return Picture(
        f"The {len(least)} validation images with the least confidence, from {least['confidence'].min():.2f} to "
        f"{least['confidence'].max():.2f}; {right} of them are right all the same.",
        _compared_sheet("Most doubtful: label → predicted label, confidence", validation_set, least),
    )


def predictions(test_set: ImageSet, probabilities: NDArray[np.float32], known: NDArray[Any]) -> Picture:
    """Draw the test images with their predictions, the doubtful ones first.

    Args:
        test_set: the images, without labels.
        probabilities: of each image for each class, shape (N, C).
        known: the classes, shape (C,).
    """
    confidence = probabilities.max(axis=1)
    first = np.argsort(confidence, kind="stable")[:SHEET]
    labels = known[probabilities.argmax(axis=1)]
    captions = [f"{_short(str(labels[at]))}\n{confidence[at]:.2f}" for at in first]
    text = f"The {len(first)} of {len(test_set):,} test images of which the model is least sure, with confidence from "
    return Picture(
        f"{text}{confidence[first[0]]:.2f} to {confidence[first[-1]]:.2f}.",
        _sheet("Most doubtful test images: predicted label, confidence", test_set.images[first], captions),
    )


def save(folder: Path, pictures: Mapping[str, Picture]) -> None:
    """Write each picture as `folder/<name>.png`, equal bytes for equal pictures.

    What it shows stands in the file under `Description`; where there is nothing to draw, the sentence that stands in
    its place is the picture and stands under `Comment`.
    """
    folder.mkdir()
    with Progress("drawing", len(pictures), "picture") as progress:
        for name, picture in pictures.items():
            figure = picture.figure or _sentence(picture.text)
            words = {"Description" if picture.figure else "Comment": picture.text}
            # the version of matplotlib in the file would change its hash
            figure.savefig(folder / f"{name}.png", dpi=DPI, metadata={"Software": None} | words)
            progress.step(name)


def _no_validation(what: str) -> Picture:
    return Picture(f"No {what}: all labelled images are trained on, none are left to validate with.")


def _sentence(text: str) -> Figure:
    figure = Figure(figsize=(WIDTH, 0.6))
    figure.text(0.02, 0.5, text, va="center")
    return figure


def _chart(title: str, height: float, width: float = WIDTH) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, x=0.1 / width, ha="left")
    return figure


def _short(label: str) -> str:
    return label if len(label) <= 9 else f"{label[:8]}…"


def _name_classes(axis: Axes, known: NDArray[Any]) -> None:
    names = [_short(str(label)) for label in known]
    longest = max(map(len, names))
    axis.set_xticks(range(len(names)), names, rotation=90 if longest * len(names) > 70 else 0)


def _compared_sheet(title: str, validation_set: ImageSet, rows: pd.DataFrame) -> Figure:
    captions = [
        f"{_short(row['label'])} → {_short(row['predicted'])}\n{row['confidence']:.2f}" for _, row in rows.iterrows()
    ]
    return _sheet(title, validation_set.images[rows.index.to_numpy()], captions)


def _sheet(
    title: str,
    shown: Sequence[NDArray[Any]] | NDArray[Any],
    captions: Sequence[str],
    columns: int = COLUMNS,
    cmap: str = INK,
    limits: tuple[float, float] = (0, 1),
) -> Figure:
    """Draw images in rows of `columns`, each under its caption; `limits` are the values of the ends of `cmap`."""
    # one axes for all images: an axes for each would take ten times as long
    inch = WIDTH / columns
    caption_height = (0.08 + 0.15 * (1 + max(caption.count("\n") for caption in captions))) / inch
    cell, heading = 0.9 + caption_height, 0.4
    rows = -(-len(shown) // columns)
    height = heading + rows * cell * inch
    figure = Figure(figsize=(WIDTH, height))
    figure.suptitle(title, x=0.1 / WIDTH, y=1 - 0.12 / height, ha="left", va="top")
    axis = figure.add_axes((0, 0, 1, 1 - heading / height))
    for number, (image, caption) in enumerate(zip(shown, captions, strict=True)):
        row, column = divmod(number, columns)
        top, bottom = row * cell + caption_height, (row + 1) * cell - 0.1
        extent = (column + 0.1, column + 0.9, bottom, top)
        axis.imshow(image, cmap=cmap, vmin=limits[0], vmax=limits[1], extent=extent)
        axis.text(column + 0.5, top - 0.03, caption, ha="center", va="bottom", linespacing=1.1)
    axis.set(xlim=(0, columns), ylim=(rows * cell, 0))
    axis.set_axis_off()
    return figure
