"""Pictures of the data: images, classes and pixels."""

from collections.abc import Mapping

import numpy as np

from src.core import arrays
from src.data.images import ImageSet, classes_of, count_classes
from src.reporting.pictures.style import DECIMAL, GRID, SETS, WIDE_COLUMNS, Picture, chart, image_grid, name_classes


def labelled_images(train_set: ImageSet) -> Picture:
    """Draw the first images of the training set with their labels."""
    first = train_set[:GRID]
    labels = [str(label) for label in first.known_labels]
    text = f"The first {len(first)} images of the training set, each under its label: {', '.join(labels)}."
    return Picture(text, image_grid("Training images under their labels", first.images, labels))


def class_balance(train_set: ImageSet, validation_set: ImageSet) -> Picture:
    """Draw the class distribution of each set."""
    classes = classes_of(train_set, validation_set)
    figure = chart("Class balance of training and validation set", 2.8)
    axes = figure.subplots()
    texts, missing = [], []
    width = 0.4
    sets = {"training": train_set, "validation": validation_set}
    for offset, (name, image_set) in zip((-width / 2, width / 2), sets.items(), strict=True):
        if len(image_set) == 0:
            missing.append(f"The {name} set is empty.")
            continue
        counts = count_classes(image_set.known_labels, classes)
        shares = 100 * counts / len(image_set)
        hatch = "///" if name == "validation" else None
        label = f"{name}, {len(image_set):,} images"
        axes.bar(np.arange(len(classes)) + offset, shares, width, color=SETS[name]["color"], hatch=hatch, label=label)
        texts.append(
            f"{name}: {len(image_set):,} images, between {shares.min():.1f} and {shares.max():.1f} % per class"
        )
        missing += [f"No {label} in the {name} set." for label in classes[counts == 0]]
    axes.set_title(" ".join(missing))
    name_classes(axes, classes)
    axes.grid(axis="x", visible=False)
    axes.set(xlabel="class", ylabel="share of the set (%)")
    axes.margins(x=0.01, y=0.2)
    axes.legend(ncols=2, loc="upper left")
    return Picture(f"Share of each class in each set. {'; '.join(texts)}. {' '.join(missing)}".strip(), figure)


def pixel_values(sets: Mapping[str, ImageSet]) -> Picture:
    """Draw the distribution of the pixel values of normalized sets, named as in `SETS`, over [0, 1]."""
    figure = chart("Pixel values after normalize", 2.6)
    axes = figure.subplots()
    edges = np.linspace(0, 256, 33) / 256
    texts = []
    for name, image_set in sets.items():
        if len(image_set) == 0:
            continue
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


def mean_images(train_set: ImageSet) -> Picture:
    """Draw the mean image of each class of the training set."""
    classes = np.unique(train_set.known_labels)
    sums = np.zeros((len(classes), train_set.side, train_set.side))
    done = 0
    for part in arrays.parts(train_set.images):
        labels_ = train_set.known_labels[done : done + len(part)]
        done += len(part)
        for code in np.unique(np.searchsorted(classes, labels_)):
            # image after image, as in a sum over the whole set: other orders round otherwise
            sums[code] = np.concatenate([sums[code, None], part[labels_ == classes[code]]]).sum(axis=0)
    means = [total / count for total, count in zip(sums, count_classes(train_set.known_labels, classes), strict=True)]
    labels = [str(label) for label in classes]
    text = f"The mean training image of each of the {len(classes)} classes: {', '.join(labels)}."
    return Picture(text, image_grid("Mean training image of each class", means, labels, columns=WIDE_COLUMNS))
