"""Time and memory of the stages at 1, 10 and 100 times the rows: `python -m benchmarks.scale [FACTOR...]`.

All stages but `submit` are run. It is not part of `make bench`: a hundred times the rows take long, and tens of
gigabytes of disk. The rows beyond the first 42,000 and 28,000 are the real digits, distorted at random. They lie beside
the project while the benchmark runs. The table goes to the terminal and, with the machine that it was made on, to
`benchmarks/scale.md`.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
import zipfile
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from ruamel.yaml import YAML

from benchmarks import full_data
from benchmarks.timing import alone, cpu
from benchmarks.waiting import stage_variables
from src.core import arrays
from src.data import competition
from src.data.images import ImageSet
from src.models.preprocessing import warp
from src.models.recipes import Augmentation
from src.training.augmentation import random_matrices

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "scale.md"
FACTORS = (1, 10, 100)
EPOCHS = {"linear": 2, "cnn": 1}
DISTORTION = Augmentation(rotation=8.0, zoom=0.08, shear=0.1, shift=1.0)
MAX_IN_MEMORY = 10
"""The largest factor at which the notebook's way of reading is tried: beyond, it takes more than 100 GB."""

SETS = "data/normalized/train data/normalized/validation"
STAGES = {
    "download": "download data/raw metrics/download.json",
    "split": "split data/raw data/split plots/classes/split.csv metrics/split.json",
    "normalize": "normalize data/raw data/split data/normalized metrics/normalize.json",
    "train, linear": f"train linear 0 {SETS} models/0.safetensors plots/curves/loss/0.csv plots/curves/accuracy/0.csv "
    "metrics/train/0.json",
    "train, cnn": f"train cnn 0 {SETS} cnn/0.safetensors cnn/loss.csv cnn/accuracy.csv cnn/0.json",
    "ensemble": "ensemble models/ensemble.json models",
    "evaluate": "evaluate data/normalized/validation models data/predictions/validation.csv "
    "plots/classes/validation.csv plots/members.csv plots/pairs.csv metrics/evaluate.json",
    "predict": "predict data/raw/sample_submission.csv data/normalized/test models data/predictions/submission.csv "
    "data/predictions/probabilities.npy data/predictions/preprocessed.npy plots/classes/test.csv metrics/predict.json",
    "draw": "draw data/normalized models data/predictions plots/curves plots/pictures",
}
"""Each stage with its arguments. Those after the training use the linear model."""

NOTEBOOK = "reading and normalizing as the notebook does"
Figures = dict[str, tuple[float, float]]
"""Seconds and peak memory, in MiB, of each stage."""


def main(factors: list[int]) -> None:
    """Run all stages at each factor, in processes of their own, and write the table."""
    zip_file = full_data.find_zip()
    if zip_file is None:
        raise SystemExit(f"error: {full_data.WHERE}")
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
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", __spec__.name, "write", zip_file, raw_dir, str(factor)], check=True)
    print(f"{factor} times the rows: written in {time.perf_counter() - start:.0f} s", flush=True)
    project = folder / "project"
    project.mkdir()
    shutil.copy(ROOT / "dvc.yaml", project)  # the report reads it
    settings = YAML().load(ROOT / "params.yaml")
    settings |= {"source": "local", "recipe": "linear", "more_recipes": [], "seeds": [0]}
    settings |= {"device": "cpu", "launcher": "python"}
    settings["sources"]["local"]["path"] = str(raw_dir)
    for name, epochs in EPOCHS.items():
        settings["recipes"][name]["epochs"] = epochs
    YAML().dump(settings, project / "params.yaml")
    figures: Figures = {}
    if factor <= MAX_IN_MEMORY:
        figures[NOTEBOOK] = alone("benchmarks.reading", "notebook", raw_dir)
    for stage, arguments in STAGES.items():
        figures[stage] = run(project, *f"stages.{arguments}".split())
        print(f"{factor} times the rows: {stage}, {figures[stage][0]:.1f} s, {figures[stage][1]:.0f} MiB", flush=True)
        if stage == "download":
            shutil.rmtree(raw_dir)
    figures["report"] = run(project, "src.reporting.report")
    return figures


def run(project: Path, module: str, *arguments: str) -> tuple[float, float]:
    """Run a stage in the folder of a project; return the seconds, with all imports, and the peak memory in MiB."""
    command = [sys.executable, "-m", "benchmarks.timing", module, *arguments]
    environment = os.environ | stage_variables() | {"PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return time.perf_counter() - start, float(done.stdout.splitlines()[-1])


def write(zip_file: Path, folder: Path, factor: int) -> None:
    """Write a competition with `factor` times the rows of the real one: its digits, and distorted copies of them."""
    with TemporaryDirectory(dir=folder) as name:
        raw_dir = Path(name)
        with zipfile.ZipFile(zip_file) as packed:
            packed.extractall(raw_dir, competition.FILES)
        labelled = competition.read_labelled(raw_dir, scratch_dir=raw_dir)
        test = competition.read_unlabelled(raw_dir, scratch_dir=raw_dir)
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
    matrices = random_matrices(len(images), images.shape[1], DISTORTION, generator)
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
    return [*lines, f"| all stages | {' | '.join(cells)} |"]


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main([int(factor) for factor in sys.argv[1:]] or [*FACTORS])
