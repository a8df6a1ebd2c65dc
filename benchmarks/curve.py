"""Errors on the validation set against seconds of training: from the linear model to an ensemble of three recipes.

`make bench` trains each recipe once, and `cnn` for fewer epochs, too, and keeps the points in `curve.csv`. After
`dvc exp run -S source=local -S sources.local.path=… -S recipe=cnn -S 'more_recipes=[cnn5x5,cnn_raw]' -S 'seeds=[…]'`,
`python -m benchmarks.curve` adds the ensembles of its models, draws `docs/curve.png` and prints the table.
"""

import time
from itertools import chain, combinations
from pathlib import Path
from statistics import mean

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.full_data import FullData
from benchmarks.timing import Row
from benchmarks.training import CPU, predict_as_the_stage, train_as_the_stage
from src.core import cli
from src.data import images
from src.data.images import ImageSet
from src.inference import ensemble, members
from src.inference.predictions import Predictions
from src.models.recipes import Recipe
from src.reporting.pictures.style import DECIMAL, DPI, SETS, WIDTH

POINTS = Path(__file__).parent / "curve.csv"
PICTURE = Path("docs/curve.png")
IMAGES = 8400  # of the validation set, cut from the full data
FEWER_EPOCHS = (2, 4, 8)
MORE_RECIPES = ["cnn5x5", "cnn_raw"]  # of the ensemble of three recipes
PUBLIC = 0.99757  # the best honest public Kaggle score: 15 networks trained on 25 million distorted images


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Train every recipe once, with seed 0, and keep the points; errors are counted as `evaluate` does."""
    shorter = {f"cnn, {epochs} epochs": recipes["cnn"].model_copy(update={"epochs": epochs}) for epochs in FEWER_EPOCHS}
    points = [
        {"model": name, **_point(recipe, data.train_set, data.validation_set)}
        for name, recipe in (recipes | shorter).items()
    ]
    pd.DataFrame(points).to_csv(POINTS, index=False, lineterminator="\n")
    accuracies = [1 - point["errors"] / len(data.validation_set) for point in points]
    return [
        Row(f"recipe {point['model']}: seconds to train, accuracy", "", f"{point['seconds']}, {accuracy:.4f}", "")
        for point, accuracy in zip(points, accuracies, strict=True)
    ]


def main() -> None:
    """Add the ensembles of the models in `models` to the points, print them all, and draw them."""
    validation_set = images.open_set(Path("data/normalized/validation"))
    prediction = ensemble.predict(Path("models"), validation_set.images, CPU)
    seeds = [int(name) for name in prediction.by_member if name.isdecimal()]
    if len(validation_set) != IMAGES or [*prediction.by_member] != members.names(seeds, MORE_RECIPES):
        raise SystemExit("error: models: expected those of cnn, cnn5x5 and cnn_raw, trained on the full data")
    points = pd.read_csv(POINTS, index_col="model")
    seconds = points["seconds"]
    ensembles = {
        "cnn": of_ensembles(prediction, validation_set, [members.names([seed], []) for seed in seeds], seconds["cnn"]),
        "cnn, cnn5x5 and cnn_raw": of_ensembles(
            prediction, validation_set, [members.names([seed], MORE_RECIPES) for seed in seeds],
            seconds[["cnn", *MORE_RECIPES]].sum(),
        ),
    }  # fmt: skip
    total = len(validation_set)

    print("| model | seconds of training | errors | accuracy |\n| --- | --- | --- | --- |")
    for model, point in points.sort_values("seconds").iterrows():
        print(f"| {model} | {point['seconds']:g} | {point['errors']:g} | {1 - point['errors'] / total:.4f} |")
    for name, sizes in ensembles.items():
        for size, one in sizes.iterrows():
            errors = f"{one['errors']:.1f} ({one['least']:g}-{one['greatest']:g})"
            print(f"| {name}, seeds: {size} | {one['seconds']:.0f} | {errors} | {1 - one['errors'] / total:.4f} |")
    wrong = [
        prediction.classes[one.argmax(axis=1)] != validation_set.known_labels for one in prediction.by_member.values()
    ]
    print(f"\n{np.all(wrong, axis=0).sum()} of {total} images are misclassified by every member, "
          f"{np.any(wrong, axis=0).sum()} by at least one.")  # fmt: skip
    draw(points, ensembles, total).savefig(PICTURE, dpi=DPI)


def of_ensembles(
    prediction: Predictions, validation_set: ImageSet, by_seed: list[list[str]], seconds: float
) -> pd.DataFrame:
    """Return, for each number of seeds, the errors of all choices of that many: mean, least and greatest.

    `by_seed` are the members with each seed, and `seconds` the time to train those of one.
    """
    rows = []
    for size in range(1, len(by_seed) + 1):
        errors = []
        for some in combinations(by_seed, size):
            chosen = Predictions(prediction.classes, {name: prediction.by_member[name] for name in chain(*some)})
            errors.append(int(np.sum(chosen.labels != validation_set.known_labels)))
        rows.append((size, size * seconds, mean(errors), min(errors), max(errors)))
    return pd.DataFrame(rows, columns=["seeds", "seconds", "errors", "least", "greatest"]).set_index("seeds")


def draw(points: pd.DataFrame, ensembles: dict[str, pd.DataFrame], total: int) -> Figure:
    """Draw errors of `total` images against seconds, both logarithmic."""
    figure = Figure(figsize=(WIDTH, 4), layout="constrained")
    axis = figure.subplots()
    axis.axhline((1 - PUBLIC) * total, **SETS["test"])
    axis.annotate(
        f"{PUBLIC}, the best honest public score on Kaggle", (0, (1 - PUBLIC) * total), (4, -11),
        xycoords=("axes fraction", "data"), textcoords="offset points",
    )  # fmt: skip
    climbed = points[points.index.str.fullmatch("cnn(, .*)?")].sort_values("seconds")
    axis.plot(climbed["seconds"], climbed["errors"], marker="o", label="cnn, more epochs", **SETS["training"])
    for (name, sizes), marker, color in zip(ensembles.items(), "s^", ("#d55e00", "#009e73"), strict=True):
        spread = [sizes["errors"] - sizes["least"], sizes["greatest"] - sizes["errors"]]
        axis.errorbar(
            sizes["seconds"], sizes["errors"], spread, marker=marker, color=color, capsize=3, elinewidth=0.8,
            label=f"{name}, more seeds (mean and range)",
        )  # fmt: skip
    others = points.drop(climbed.index)
    axis.plot(others["seconds"], others["errors"], "D", color="#333333")
    for name, point in others.iterrows():
        axis.annotate(str(name), (point["seconds"], point["errors"]), (7, -3), textcoords="offset points")
    axis.set(xscale="log", yscale="log", xlabel="seconds of training on two cores", ylabel=f"errors of {total:,}")
    axis.set(ylim=(15, None))
    axis.set_yticks([20, 50, 100, 200, 500, 1000])
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_formatter(DECIMAL)
    right = axis.secondary_yaxis("right")
    shares = [0.9, 0.95, 0.98, 0.99, 0.995, 0.9975]
    right.set_yticks([(1 - share) * total for share in shares], [f"{share:g}" for share in shares])
    right.set_yticks([], minor=True)
    right.set_ylabel("accuracy")
    axis.legend(loc="center right")
    return figure


def _point(recipe: Recipe, train_set: ImageSet, validation_set: ImageSet) -> dict[str, float]:
    start = time.perf_counter()
    checkpoint, _ = train_as_the_stage(recipe, train_set, validation_set)
    seconds = time.perf_counter() - start
    prediction = predict_as_the_stage(checkpoint, validation_set.images)
    errors = np.sum(prediction.labels != validation_set.known_labels)
    return {"seconds": round(seconds, 1), "errors": int(errors)}


if __name__ == "__main__":
    cli.run(main)
