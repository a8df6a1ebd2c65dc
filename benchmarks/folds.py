"""Compare recipes by what they say about training images that they were not trained on.

`python -m benchmarks.folds` cuts the 33,600 training images into five folds, trains each candidate of `folds.yaml` on
four of them and lets it predict the fifth, with every seed and fold in turn. The validation set is never read. What a
model predicts stays in `benchmarks/folds/` (not in git), so that a second run trains only what is missing; the errors
and seconds go to `folds.csv`, and the comparison of candidates and ensembles to `folds.md`.
"""

import json
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
import typer
from numpy.typing import NDArray

from benchmarks import full_data
from benchmarks.training import predict_as_the_stage, train_as_the_stage
from src.core import outputs, params
from src.data.images import ImageSet
from src.evaluation.scores import mcnemar
from src.models.recipes import Recipe

HERE = Path(__file__).parent
CANDIDATES, KEPT, ROWS, TABLE = HERE / "folds.yaml", HERE / "folds", HERE / "folds.csv", HERE / "folds.md"
FOLDS = 5


def main(
    candidates: Annotated[list[str] | None, typer.Argument(help="Train only these.")] = None,
    folds: Annotated[str, typer.Option(help="Train only on these folds.")] = "0,1,2,3,4",
    seeds: Annotated[str, typer.Option(help="Train with these seeds.")] = "0",
    train_nothing: Annotated[bool, typer.Option(help="Only write the table of what is there.")] = False,
) -> None:
    """Train what is missing, then write the rows and the table."""
    recipes = read_candidates()
    unknown = sorted(set(candidates or []) - set(recipes))
    if unknown:
        sys.exit(f"error: {CANDIDATES.name}: there is no {unknown[0]!r}; choose among {', '.join(map(repr, recipes))}")
    with TemporaryDirectory() as folder:
        zip_file = full_data.find_zip()
        if zip_file is None:
            sys.exit(f"error: {full_data.WHERE}")
        images = full_data.unpack(zip_file, Path(folder)).train_set
    if not train_nothing:
        for seed in map(int, seeds.split(",")):
            for fold in map(int, folds.split(",")):
                for name in candidates or recipes:
                    _train_if_missing(name, recipes[name], seed, fold, images)
    write_rows(recipes, images.known_labels)
    TABLE.write_text(compare(recipes, images.known_labels))


def read_candidates() -> dict[str, Recipe]:
    """Return the recipes of `folds.yaml` by name."""
    content = params.load_yaml(CANDIDATES.read_text())
    return {name: Recipe.model_validate(recipe) for name, recipe in content["candidates"].items()}


def _path(name: str, seed: int, fold: int) -> Path:
    return KEPT / name / f"{seed}-{fold}.npz"


def _bounds(fold: int, count: int) -> tuple[int, int]:
    """Return where a fold begins and ends; Kaggle's rows come shuffled, so folds are cut in file order."""
    return count * fold // FOLDS, count * (fold + 1) // FOLDS


def _train_if_missing(name: str, recipe: Recipe, seed: int, fold: int, images: ImageSet) -> None:
    path = _path(name, seed, fold)
    if path.exists() and _read(path, recipe) is not None:
        return
    start, end = _bounds(fold, len(images))
    inside = np.r_[0:start, end : len(images)]
    began, processor_began = time.perf_counter(), time.process_time()
    # a seed for each fold, so that five folds say something about the seeds, too
    checkpoint, _ = train_as_the_stage(recipe, images[inside], images[:0], 10 * seed + fold)
    seconds, processor_seconds = time.perf_counter() - began, time.process_time() - processor_began
    predicted = predict_as_the_stage(checkpoint, images.images[start:end])
    path.parent.mkdir(parents=True, exist_ok=True)
    with outputs.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            probabilities=predicted.probabilities,
            recipe=recipe.model_dump_json(exclude_defaults=True),
            seconds=seconds,
            processor_seconds=processor_seconds,
            threads=torch.get_num_threads(),
        )
    errors = np.sum(predicted.labels != images.known_labels[start:end])
    print(f"{name}, seed {seed}, fold {fold}: {errors} errors, {processor_seconds:.1f} processor seconds", flush=True)


def _read(path: Path, recipe: Recipe) -> dict[str, Any] | None:
    """Return what was kept of a training, or None if the candidate was another recipe then."""
    with np.load(path) as kept:
        content = dict(kept)
    return content if Recipe.model_validate(json.loads(str(content["recipe"]))) == recipe else None


def _kept(recipes: dict[str, Recipe]) -> list[tuple[str, int, int, dict[str, Any]]]:
    """Return candidate, seed, fold and content of every file that belongs to a candidate as it stands now."""
    found = []
    for name, recipe in recipes.items():
        for path in sorted((KEPT / name).glob("*.npz")):
            content = _read(path, recipe)
            if content is not None:
                seed, fold = map(int, path.stem.split("-"))
                found.append((name, seed, fold, content))
    return found


def write_rows(recipes: dict[str, Recipe], labels: NDArray[Any]) -> None:
    """Write errors and seconds of every training; rows of trainings whose files are not here stay as they are."""
    keys = ["candidate", "seed", "fold"]
    rows = []
    for name, seed, fold, content in _kept(recipes):
        start, end = _bounds(fold, len(labels))
        errors = int(np.sum(content["probabilities"].argmax(axis=1) != labels[start:end]))
        figures = (errors, round(float(content["processor_seconds"]), 1), int(content["threads"]))
        rows.append((name, seed, fold, *figures))
    table = pd.DataFrame(rows, columns=[*keys, "errors", "processor_seconds", "threads"])
    if ROWS.exists():
        table = pd.concat([pd.read_csv(ROWS), table]).drop_duplicates(keys, keep="last")
    table.sort_values(keys).to_csv(ROWS, index=False, lineterminator="\n")


def compare(recipes: dict[str, Recipe], labels: NDArray[Any]) -> str:
    """Return the tables: errors of each candidate, then singles, pairs and a greedy ensemble of each model's family.

    The section of a family stays as it was where the predictions of its members are not here.
    """
    parts = ["# Recipes compared by five-fold cross-validation inside the 33,600 training images\n"]
    parts += ["Made by `python -m benchmarks.folds --train-nothing`; every training is a row of `folds.csv`.\n"]
    rows = pd.read_csv(ROWS)
    sums = rows.groupby(["candidate", "seed"], sort=False).agg(
        errors=("errors", "sum"),
        folds=("fold", "count"),
        each=("errors", lambda errors: ", ".join(map(str, errors))),
        seconds=("processor_seconds", "mean"),
    )
    parts += ["| candidate | seed | errors, a fold each | sum | images | processor seconds |", "| --- " * 6 + "|"]
    for (name, seed), row in sums.iterrows():
        images = len(labels) // FOLDS * row["folds"]
        parts.append(f"| {name} | {seed} | {row['each']} | {row['errors']} | {images:,} | {row['seconds']:.0f} |")
    earlier = re.split(r"\n(?=## )", TABLE.read_text().strip()) if TABLE.exists() else []
    for family in ("quick", "mlp", "cnn"):
        kept = [section.strip() for section in earlier if section.startswith(f"## {family}: ")]
        parts += ["", *(_describe(family, _out_of_fold(family, recipes, labels)) or kept)]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True)
class OutOfFold:
    """What the members of one family say about images that they were not trained on.

    Attributes:
        names: of the M members.
        probabilities: shape (M, N, C), over the N images of all folds that each member has predicted.
        classes: the true class of each image, shape (N,).
        folds: the fold of each image, shape (N,).
    """

    names: list[str]
    probabilities: NDArray[np.float32]
    classes: NDArray[np.int_]
    folds: NDArray[np.int_]

    def wrong(self, *members: int) -> NDArray[np.bool_]:
        """Return which images the mean of some members misclassifies, shape (N,)."""
        wrong: NDArray[np.bool_] = self.probabilities[[*members]].mean(axis=0).argmax(axis=1) != self.classes
        return wrong

    def greedy(self, among: NDArray[np.bool_]) -> list[int]:
        """Return all members, in the order in which each leaves the fewest errors, of those the least loss, `among`."""
        probabilities, classes = self.probabilities[:, among], self.classes[among]

        def cost(members: list[int]) -> tuple[int, float]:
            mean = probabilities[members].mean(axis=0)
            return np.sum(mean.argmax(axis=1) != classes), -np.log(mean[np.arange(len(mean)), classes]).mean()

        chosen: list[int] = []
        while len(chosen) < len(self.names):
            left = [member for member in range(len(self.names)) if member not in chosen]
            chosen.append(min(left, key=lambda member: cost([*chosen, member])))
        return chosen


def _out_of_fold(family: str, recipes: dict[str, Recipe], labels: NDArray[Any]) -> OutOfFold | None:
    members: dict[str, dict[int, NDArray[np.float32]]] = {}
    for name, seed, fold, content in _kept(recipes):
        if recipes[name].model.startswith(family) and seed == 0:
            members.setdefault(name, {})[fold] = content["probabilities"]
    # a member that has not been through as many folds as the others would take folds from them
    most = max(map(len, members.values()), default=0)
    members = {name: by_fold for name, by_fold in members.items() if len(by_fold) == most}
    folds = sorted(set.intersection(*map(set, members.values()))) if members else []
    if len(members) < 2 or not folds:
        return None
    bounds = [_bounds(fold, len(labels)) for fold in folds]
    truth = np.concatenate([labels[start:end] for start, end in bounds])
    return OutOfFold(
        list(members),
        np.stack([np.concatenate([by_fold[fold] for fold in folds]) for by_fold in members.values()]),
        np.searchsorted(np.unique(labels), truth),
        np.concatenate([np.full(end - start, fold) for fold, (start, end) in zip(folds, bounds, strict=True)]),
    )


def _describe(family: str, found: OutOfFold | None) -> list[str]:
    if found is None:
        return []
    numbers = range(len(found.names))
    alone = [found.wrong(member) for member in numbers]
    lines = [
        f"## {family}: {len(found.classes):,} images of folds {', '.join(map(str, np.unique(found.folds)))}",
        "",
        f"{np.sum(np.all(alone, axis=0))} images are misclassified by every member. The table has the errors of each "
        "member, and those of the mean of each pair with McNemar's exact p value for the two apart.",
        "",
        "| | member | alone | " + " | ".join(map(str, numbers)) + " |",
        "| --- " * (len(numbers) + 3) + "|",
    ]
    for first in numbers:
        pairs = [
            f"{found.wrong(first, second).sum()} ({_p_value(alone[first], alone[second]):.2g})"
            if first != second
            else ""
            for second in numbers
        ]
        lines.append(f"| {first} | {found.names[first]} | {alone[first].sum()} | {' | '.join(pairs)} |")
    everywhere = np.full(len(found.classes), True)
    order = found.greedy(everywhere)
    orders = {fold: found.greedy(found.folds != fold) for fold in np.unique(found.folds)}
    lines += [
        "",
        "An ensemble grows by the member that leaves the fewest errors. The last column counts the errors in each fold "
        "of the ensemble that was chosen without it.",
        "",
        "| members | the last of them | errors | errors where not chosen |",
        "| --- " * 4 + "|",
    ]
    for size in range(1, len(order) + 1):
        unseen = sum(np.sum(found.wrong(*chosen[:size]) & (found.folds == fold)) for fold, chosen in orders.items())
        lines.append(f"| {size} | {found.names[order[size - 1]]} | {found.wrong(*order[:size]).sum()} | {unseen} |")
    return lines


def _p_value(first_wrong: NDArray[np.bool_], second_wrong: NDArray[np.bool_]) -> float:
    return mcnemar(int(np.sum(~first_wrong & second_wrong)), int(np.sum(first_wrong & ~second_wrong)))


if __name__ == "__main__":
    typer.run(main)
