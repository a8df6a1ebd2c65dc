"""Pictures of the out-of-fold predictions."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from src.data.images import ImageSet
from src.reporting.pictures import style
from src.reporting.pictures.results import top_confusions, wrong_predictions
from src.reporting.pictures.style import Picture

LEAST_CONFIDENT = 10
BINS = 10
LARGEST_MATRIX = 30  # classes


def error_rates(members: pd.DataFrame) -> Picture:
    """Draw the error rate of each network on the images of its own fold, with its 95 % Wilson interval.

    Args:
        members: a row for each network, as `Scores.of_members` returns them.
    """
    if len(members) == 1:
        return Picture("There is one network, so there is nothing to compare it with.")
    accuracy = members["accuracy"]
    rates = 100 * (1 - accuracy)
    spread = 100 * np.stack([members["ci_high"] - accuracy, accuracy - members["ci_low"]])
    figure = style.chart("Error rate of each network on its own fold, with its 95 % interval", 2.4)
    axes = figure.subplots()
    axes.bar(range(len(rates)), rates, 0.6, yerr=spread, capsize=3, color=style.SETS["validation"]["color"])
    axes.axhline(rates.mean(), label="mean", **style.SETS["test"])
    axes.set_xticks(range(len(rates)), list(members["member"]), rotation=90 if len(rates) > 12 else 0)
    axes.grid(axis="x", visible=False)
    axes.set(xlabel="fold-seed", ylabel="errors (%)")
    axes.legend()
    return Picture(
        f"The {len(rates)} networks have error rates of {rates.min():.2f} to {rates.max():.2f} % on their own folds; "
        f"the standard deviation of their accuracies is {accuracy.std():.4f}.",
        figure,
    )


def confusion_matrix(predicted: pd.DataFrame, classes: NDArray[Any]) -> Picture:
    """Draw the confusion matrix of the classes, shape (C,); of many, only those in the most frequent mistakes."""
    wrong, title = len(wrong_predictions(predicted)), "Confusion matrix of the validation images"
    most = ", ".join(f"{label} as {other} ({times})" for label, other, times in top_confusions(predicted))
    text = f"{len(predicted) - wrong:,} of {len(predicted):,} images are predicted correctly. "
    text += f"Most often confused: {most}." if wrong else "There is no mistake."
    names = style.names_of(classes)
    if len(names) > LARGEST_MATRIX:
        title = "The most frequent mistakes on the validation images"
        worst = {name for *pair, _ in top_confusions(predicted, LARGEST_MATRIX // 2) for name in pair}
        names = {label: name for label, name in names.items() if label in worst}
    if not names:
        return Picture(text)
    # pandas and not scikit-learn, whose import takes longer than this whole picture
    pairs = pd.crosstab(predicted["label"], predicted["predicted"])
    counts = pairs.reindex(index=list(names), columns=list(names), fill_value=0).to_numpy()
    errors = counts.astype(float)
    np.fill_diagonal(errors, np.nan)
    most_errors = max(1.0, np.nanmax(errors, initial=0))
    beside = 1.7 + max(map(style.width_of, names.values()))
    inches = min(style.WIDTH, max(4.2, beside + 0.4 * len(names)))
    figure = style.chart(title, inches, inches)
    axes = figure.subplots()
    cmap = mpl.colormaps[style.ERRORS].with_extremes(bad="#eeeeee")
    axes.imshow(errors, cmap=cmap, vmin=0, vmax=most_errors)
    size = min(style.FONT, 100 * (inches - beside) / len(names) / len(str(counts.max())))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = row != column and count > 0.6 * most_errors
            colour = "white" if dark else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=size)
    axes.grid(visible=False)
    for axis in (axes.xaxis, axes.yaxis):
        style.set_classes(axis, names, inches - beside)
    axes.set(xlabel="predicted label", ylabel="label")
    return Picture(text, figure)


def reliability_diagram(predicted: pd.DataFrame) -> Picture:
    """Draw the accuracy of the predictions against their confidence."""
    bins = np.minimum((predicted["confidence"] * BINS).astype(int), BINS - 1)
    correct = predicted["label"] == predicted["predicted"]
    groups = pd.DataFrame({"confidence": predicted["confidence"], "correct": correct}).groupby(bins)
    mean, sizes = groups.mean(), groups.size()
    figure = style.chart("Reliability diagram", 4.8, 4.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], ":", color="#777777", label="perfectly calibrated")
    upper.plot(
        mean["confidence"], mean["correct"], "o-", color=style.SETS["validation"]["color"], label="validation images"
    )
    upper.set(xlim=(0, 1.02), ylim=(0, 1.02), ylabel="accuracy")
    upper.legend(loc="upper left")
    lower.bar(sizes.index / BINS, sizes, width=1 / BINS, align="edge", color="#888888", edgecolor="white")
    lower.set(xlabel="confidence", ylabel="images", yscale="log", ylim=(0.7, None))
    lower.yaxis.set(major_formatter=style.Decimal(), minor_formatter=style.Decimal())
    gap = float(np.average(np.abs(mean["confidence"] - mean["correct"]), weights=sizes))
    text = f"The mean confidence is {predicted['confidence'].mean():.3f} and the accuracy {correct.mean():.3f}; "
    return Picture(f"{text}within {BINS} bins of confidence the two differ by {gap:.3f} on average.", figure)


def mistakes(labelled: ImageSet, wrong: pd.DataFrame) -> Picture:
    """Draw the first rows of `wrong`, in its order: largest margin first."""
    if wrong.empty:
        return Picture("There is no mistake on the validation images.")
    first, doubtful = wrong.head(style.GRID), int(wrong["doubtful"].sum())
    top = first.iloc[0]
    return Picture(
        f"The first {len(first)} of {len(wrong):,} mistakes, of which {doubtful:,} have a doubtful label. The first "
        f"has the label {top['label']} and is predicted as {top['predicted']} with confidence {top['confidence']:.2f}.",
        _grid("Mistakes, largest margin first: label → predicted label, confidence", labelled, first),
    )


def least_confident(labelled: ImageSet, predicted: pd.DataFrame) -> Picture:
    """Draw the validation images with the lowest confidence, whether predicted correctly or not."""
    least = predicted.sort_values("confidence", kind="stable").head(LEAST_CONFIDENT)
    correct = len(least) - len(wrong_predictions(least))
    return Picture(
        f"The {len(least)} validation images with the lowest confidence, from {least['confidence'].min():.2f} to "
        f"{least['confidence'].max():.2f}; {correct} of them are predicted correctly.",
        _grid("Least confident: label → predicted label, confidence", labelled, least),
    )


def _grid(title: str, labelled: ImageSet, rows: pd.DataFrame) -> Figure:
    names = style.names_of(np.unique(labelled.known_labels))
    pairs = [(names[row["label"]], names[row["predicted"]], row["confidence"]) for _, row in rows.iterrows()]
    between = " → " if max(len(label) + len(predicted) for label, predicted, _ in pairs) <= 6 else "\n→ "
    captions = [f"{label}{between}{predicted}\n{confidence:.2f}" for label, predicted, confidence in pairs]
    return style.image_grid(title, labelled.images[rows.index.to_numpy()], captions)
