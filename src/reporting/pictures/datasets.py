"""Pictures of the data: images, classes and pixels."""

from collections.abc import Mapping

import numpy as np

from src.core import arrays
from src.data.images import EXCLUDED, ImageSet, count_classes
from src.reporting.pictures.style import DECIMAL, GRID, SETS, WIDE_COLUMNS, Picture, chart, image_grid, name_classes


def labelled_images(labelled: ImageSet) -> Picture:
    """Draw the first labelled images with their labels."""
    labels = [str(label) for label in labelled.known_labels[:GRID]]
    text = f"The first {len(labels)} labelled images, each under its label: {', '.join(labels)}."
    return Picture(text, image_grid("Labelled images under their labels", labelled.images[:GRID], labels))


def class_balance(labelled: ImageSet) -> Picture:
    """Draw the share of each class among the labelled images, and the least and the greatest share in a fold."""
    labels, folds = labelled.known_labels, labelled.known_folds
    classes, numbers = np.unique(labels), np.unique(folds[folds != EXCLUDED])
    counts = np.stack([count_classes(labels[folds == fold], classes) for fold in numbers], axis=1)
    shares, of_folds = 100 * counts.sum(axis=1) / counts.sum(), 100 * counts / counts.sum(axis=0)
    spread = [shares - of_folds.min(axis=1), of_folds.max(axis=1) - shares]
    missing = [
        f"No {label} in fold {fold}."
        for number, fold in enumerate(numbers)
        for label in classes[counts[:, number] == 0]
    ]
    figure = chart("Class balance of the folds", 2.8)
    axes = figure.subplots()
    axes.bar(range(len(classes)), shares, 0.7, yerr=spread, capsize=3, color=SETS["labelled"]["color"])
    axes.set_title(" ".join(missing))
    name_classes(axes, classes)
    axes.grid(axis="x", visible=False)
    axes.set(xlabel="class", ylabel="share of the labelled images (%)")
    axes.margins(x=0.01, y=0.1)
    text = (
        f"Share of each class among {counts.sum():,} labelled images, between {shares.min():.1f} and "
        f"{shares.max():.1f} %; a line runs from the least to the greatest share in one of {len(numbers)} folds. "
        f"{' '.join(missing)}"
    )
    return Picture(text.strip(), figure)


def pixel_values(sets: Mapping[str, ImageSet]) -> Picture:
    """Draw the distribution of the pixel values of normalized sets, named as in `SETS`, over [0, 1]."""
    figure = chart("Pixel values after normalize", 2.6)
    axes = figure.subplots()
    edges = np.linspace(0, 256, 33) / 256
    texts = []
    for name, image_set in sets.items():
        counts = np.zeros(256, dtype=np.int64)
        for part in arrays.parts(image_set.images):
            gray_levels = np.rint(part * 255).astype(np.uint8)
            counts += np.bincount(gray_levels.ravel(), minlength=256)
        shares = counts.reshape(32, 8).sum(axis=1) / counts.sum()
        axes.step(edges, 100 * np.append(shares, shares[-1]), where="post", label=name, **SETS[name])
        texts.append(f"{name}: {counts[0] / counts.sum():.0%} background, {counts[255] / counts.sum():.1%} full ink")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(DECIMAL)
    axes.set(xlabel="pixel value, from 0 (background) to 1 (ink)", ylabel="share of pixels (%)")
    axes.legend(ncols=len(SETS))
    return Picture(f"Distribution of the pixel values in 32 equal bins. {'; '.join(texts)}.", figure)


def mean_images(labelled: ImageSet) -> Picture:
    """Draw the mean image of each class."""
    classes = np.unique(labelled.known_labels)
    sums = np.zeros((len(classes), labelled.side, labelled.side))
    done = 0
    for part in arrays.parts(labelled.images):
        labels_ = labelled.known_labels[done : done + len(part)]
        done += len(part)
        for code in np.unique(np.searchsorted(classes, labels_)):
            # image after image, as in a sum over the whole set: other orders round otherwise
            sums[code] = np.concatenate([sums[code, None], part[labels_ == classes[code]]]).sum(axis=0)
    means = [total / count for total, count in zip(sums, count_classes(labelled.known_labels, classes), strict=True)]
    labels = [str(label) for label in classes]
    text = f"The mean image of each of the {len(classes)} classes: {', '.join(labels)}."
    return Picture(text, image_grid("Mean image of each class", means, labels, columns=WIDE_COLUMNS))
