"""Time and memory of the stages at 1, 10 and 100 times the rows: `python -m benchmarks.scale [FACTOR...]`.

All stages but `submit` are run, then DVC hashes what they wrote, and the report is made. It is not part of `make
bench`: a hundred times the rows take long, and tens of gigabytes of disk. The rows beyond the first 42,000 and 28,000
are the real digits, distorted at random. They lie beside the project while the benchmark runs. The table goes to the
terminal and, with the machine that it was made on, to `benchmarks/scale.md`.
"""

import os
import platform
import shutil
import sys
import zipfile
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.full_data import required_zip
from benchmarks.project import ROOT, Project, set_params
from benchmarks.timing import alone, cpu
from src.core import arrays
from src.data.competition import reading
from src.data.competition.files import FILES
from src.data.images import ImageSet
from src.models.preprocessing import warp
from src.models.recipes import Augmentation
from src.training.augmentation import random_matrices

RESULTS = Path(__file__).parent / "scale.md"
FACTORS = (1, 10, 100)
EPOCHS = {"linear": 2, "cnn": 1}
DISTORTION = Augmentation(rotation=8.0, zoom=0.08, shear=0.1, shift=1.0)
LARGE = 10
"""Beyond this factor the notebook's way of reading is left out, which takes more than 100 GB, and so is `cnn`, which
takes a quarter of an hour."""

BEFORE_TRAINING = ("download@files", "split", "normalize")
TRAININGS = (("cnn", 4), ("linear", 2), ("linear", 4))
"""Recipes and folds to train: 4 is the end of the file, 2 in its middle. The stages after it use the last network."""
AFTER_TRAINING = ("ensemble", "predict", "evaluate", "draw")

NOTEBOOK = "reading and normalizing as the notebook does"
Figures = dict[str, tuple[float, float]]
"""Seconds and peak memory, in MiB, of each stage."""


def main(factors: list[int]) -> None:
    """Run all stages at each factor, in processes of their own, and write the table."""
    zip_file = required_zip()
    machine = f"{os.cpu_count()} cores of {cpu()}, Python {platform.python_version()}"
    epochs = ", ".join(f"`{name}` {count}" for name, count in EPOCHS.items())
    facts = (
        f"Made with {machine}. Epochs: {epochs}. Seconds and peak memory are those of the whole process; the "
        "notebook's seconds leave out its imports."
    )
    head = ["# Results of `python -m benchmarks.scale`", "", facts, ""]
    found: dict[int, Figures] = {}
    for factor in factors:
        with TemporaryDirectory(prefix=".scale-", dir=ROOT.parent) as name:
            found[factor] = measure(zip_file, Path(name), factor)
        print("\n".join(table(found)), flush=True)
        RESULTS.write_text("\n".join([*head, *table(found), ""]))


def measure(zip_file: Path, folder: Path, factor: int) -> Figures:
    """Return the figures of all stages on `factor` times the rows; what they write lies in `folder`."""
    raw_dir = folder / "raw"
    raw_dir.mkdir()
    write(zip_file, raw_dir, factor)
    epochs = {f"recipes.{name}.epochs": count for name, count in EPOCHS.items()}
    project = Project(folder / "project", raw_dir, epochs)
    figures: Figures = {}

    def note(name: str, found: tuple[float, float]) -> None:
        figures[name] = found
        print(f"{factor} times the rows: {name}, {found[0]:.1f} s, {found[1]:.0f} MiB", flush=True)

    if factor <= LARGE:
        note(NOTEBOOK, alone("benchmarks.reading", "notebook", raw_dir))
    for stage in BEFORE_TRAINING:
        note(stage.removesuffix("@files"), project.run(stage))
    shutil.rmtree(raw_dir)
    for recipe, fold in TRAININGS[factor > LARGE :]:
        set_params(project.root, {"recipe": recipe, "folds": [fold]})
        note(f"train, {recipe}, fold {fold}", project.run(f"train@{fold}-0"))
    for stage in AFTER_TRAINING:
        note(stage, project.run(stage))
    project.run_module("dvc", "init", "--no-scm", "--quiet")
    note("hashing by DVC", project.run_module("dvc", "status"))
    note("report", project.run_module("src.reporting.report"))
    return figures


def write(zip_file: Path, folder: Path, factor: int) -> None:
    """Write a competition with `factor` times the rows of the real one: its digits, and distorted copies of them."""
    with TemporaryDirectory(dir=folder) as name:
        raw_dir = Path(name)
        with zipfile.ZipFile(zip_file) as packed:
            packed.extractall(raw_dir, FILES)
        labels = reading.write_labelled(raw_dir, raw_dir / "labelled.npy")
        labelled = ImageSet(np.load(raw_dir / "labelled.npy"), labels)
        reading.write_test(raw_dir, raw_dir / "test.npy")
        test = ImageSet(np.load(raw_dir / "test.npy"))
    names = [f"pixel{index}" for index in range(labelled.side**2)]
    write_csv(folder / "train.csv", ["label", *names], labelled, factor)
    write_csv(folder / "test.csv", names, test, factor)
    with (folder / "sample_submission.csv").open("w") as file:
        file.write("ImageId,Label\n")
        file.writelines(f"{id_},0\n" for id_ in range(1, factor * len(test) + 1))


def write_csv(path: Path, header: list[str], digits: ImageSet, factor: int) -> None:
    """Write the digits once as they are and otherwise distorted, each with its label, if it has one."""
    texts = [f"{value},".encode().ljust(4, b"\0") for value in range(256)]
    cells = np.frombuffer(b"".join(texts), np.uint8).reshape(-1, 4)  # unused places are 0
    generator = torch.Generator().manual_seed(0)
    with path.open("wb") as file:
        file.write(",".join(header).encode() + b"\n")
        for copy in range(factor):
            done = 0
            for images in arrays.parts(digits.images):
                pixels = (distorted(images, generator) if copy else images).reshape(len(images), -1)
                if digits.labels is not None:
                    labels = digits.labels[done : done + len(images)].astype(np.uint8)
                    pixels = np.column_stack([labels, pixels])
                    done += len(images)
                rows = cells[pixels]
                ends = rows[:, -1]
                ends[ends == ord(",")] = ord("\n")
                file.write(rows[rows > 0].tobytes())


def distorted(images: NDArray[np.uint8], generator: torch.Generator) -> NDArray[np.uint8]:
    """Return the images, shape (n, side, side), with a random affine distortion."""
    matrices = random_matrices([len(images)], DISTORTION, generator)
    warped = warp(torch.from_numpy(images).float(), matrices)
    return warped.round().clamp(0, 255).to(torch.uint8).numpy()


def table(found: dict[int, Figures]) -> list[str]:
    """Return the figures as a table, with the growth of the seconds from each factor to the next."""
    steps = [*pairwise(found)]
    heads = ["stage", *(f"rows x {factor}" for factor in found), *(f"x {low} to x {high}" for low, high in steps)]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    total = {
        factor: sum(one[0] for stage, one in figures.items() if stage != NOTEBOOK) for factor, figures in found.items()
    }
    for stage in next(iter(found.values())):
        seconds = {factor: figures[stage][0] for factor, figures in found.items() if stage in figures}
        both = [figures.get(stage) for figures in found.values()]
        cells = [f"{one[0]:.1f} s, {one[1]:,.0f} MiB" if one else "" for one in both]
        cells += [f"{seconds[high] / seconds[low]:.1f}" if {low, high} <= {*seconds} else "" for low, high in steps]
        lines.append(f"| {stage} | {' | '.join(cells)} |")
    cells = [f"{seconds:,.0f} s" for seconds in total.values()]
    cells += [f"{total[high] / total[low]:.1f}" for low, high in steps]
    return [*lines, f"| all but the first | {' | '.join(cells)} |"]


if __name__ == "__main__":
    main([int(factor) for factor in sys.argv[1:]] or [*FACTORS])
