"""Pictures of the data: images, classes and pixels."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.core import arrays
from src.data.images import EXCLUDED, ImageSet, count_classes
from src.reporting.pictures import style
from src.reporting.pictures.style import GRID, SETS, Picture


def labelled_images(labelled: ImageSet) -> Picture:
    """Draw labelled images with their labels, from all parts of the file: it may be sorted by label."""
    rows = np.unique(np.linspace(0, len(labelled) - 1, GRID).astype(int))
    labels = [str(label) for label in labelled.known_labels[rows]]
    names = style.names_of(np.unique(labelled.known_labels))
    text = f"{len(rows)} of the {len(labelled):,} labelled images, each under its label: {', '.join(labels)}."
    title, captions = "Labelled images under their labels", [names[label] for label in labels]
    return Picture(text, style.image_grid(title, labelled.images[rows], captions))


def class_balance(labelled: ImageSet) -> Picture:
    """Draw the share of each class among the labelled images, and the least and the greatest share in a fold."""
    labels, folds = labelled.known_labels, labelled.known_folds
    classes, numbers = np.unique(labels), np.unique(folds[folds != EXCLUDED])
    counts = np.stack([count_classes(labels[folds == fold], classes) for fold in numbers], axis=1)
    shares, of_folds = 100 * counts.sum(axis=1) / counts.sum(), 100 * counts / counts.sum(axis=0)
    spread = [shares - of_folds.min(axis=1), of_folds.max(axis=1) - shares]
    missing = " ".join(_missing(classes, numbers, counts))
    figure = style.chart("Class balance of the folds", 2.8)
    axes = figure.subplots()
    cap, colour = min(3, 90 / len(classes)), SETS["labelled"]["color"]
    axes.bar(range(len(classes)), shares, 0.7, yerr=spread, capsize=cap, color=colour)
    upright = style.set_classes(axes.xaxis, style.names_of(classes), 0.92 * style.WIDTH)
    lines = textwrap.wrap(missing, 100)
    axes.set_title("\n".join(lines))
    figure.set_figheight(2.8 + style.LINE * len(lines) + upright)
    axes.grid(axis="x", visible=False)
    axes.set(xlabel="class", ylabel="share of the labelled images (%)")
    axes.margins(x=0.01, y=0.1)
    text = (
        f"Share of each class in {counts.sum():,} labelled images, between {shares.min():.1f} and {shares.max():.1f} "
        f"%; a line runs from the least to the greatest share in one of {len(numbers)} folds. {missing}"
    )
    return Picture(text.strip(), figure)


def _missing(classes: NDArray[Any], folds: NDArray[Any], counts: NDArray[np.int64]) -> Iterator[str]:
    """Yield sentences about the classes, shape (C,), that some folds, shape (F,), lack; `counts` has shape (C, F)."""
    names = style.names_of(classes, longest=30).values()
    lacking = [(name, folds[own == 0]) for name, own in zip(names, counts, strict=True) if not own.all()]
    for name, where in lacking[:3]:
        yield f"No {name} in fold{'' if len(where) == 1 else 's'} {', '.join(map(str, where))}."
    if len(lacking) > 3:
        yield f"In all, {len(lacking)} of {len(classes)} classes are missing in some fold."


def pixel_values(sets: Mapping[str, ImageSet]) -> Picture:
    """Draw the distribution of the pixel values of normalized sets, named as in `SETS`, over [0, 1]."""
    figure = style.chart("Pixel values after normalize", 2.6)
    axes = figure.subplots()
    edges = np.linspace(0, 256, 33) / 256
    texts = []
    for name, image_set in sets.items():
        counts = np.zeros(256, dtype=np.int64)
        for part in arrays.parts(image_set.images, doing="counting pixel values of the images"):
            gray_levels = np.rint(part * 255).astype(np.uint8)
            counts += np.bincount(gray_levels.ravel(), minlength=256)
        shares = counts.reshape(32, 8).sum(axis=1) / counts.sum()
        axes.step(edges, 100 * np.append(shares, shares[-1]), where="post", label=name, **SETS[name])
        texts.append(f"{name}: {counts[0] / counts.sum():.0%} black, {counts[255] / counts.sum():.1%} white")
    axes.set_yscale("log")
    axes.yaxis.set(major_formatter=style.Decimal(), minor_formatter=style.Decimal())
    axes.set(xlabel="pixel value, from 0 (black) to 1 (white)", ylabel="share of pixels (%)")
    axes.legend(ncols=len(SETS))
    return Picture(f"Distribution of the pixel values in 32 equal bins. {'; '.join(texts)}.", figure)


def mean_images(labelled: ImageSet) -> Picture:
    """Draw the mean image of each class."""
    classes = np.unique(labelled.known_labels)
    sums = np.zeros((len(classes), labelled.side, labelled.side))
    done = 0
    for part in arrays.parts(labelled.images, doing="averaging the images of each class"):
        labels_ = labelled.known_labels[done : done + len(part)]
        done += len(part)
        for code in np.unique(np.searchsorted(classes, labels_)):
            # image after image, as in a sum over the whole set: other orders round otherwise
            sums[code] = np.concatenate([sums[code, None], part[labels_ == classes[code]]]).sum(axis=0)
    means = [total / count for total, count in zip(sums, count_classes(labelled.known_labels, classes), strict=True)]
    text = f"The mean image of each of the {len(classes)} classes: {', '.join(map(str, classes))}."
    return Picture(text, style.image_grid("Mean image of each class", means, [*style.names_of(classes).values()]))
