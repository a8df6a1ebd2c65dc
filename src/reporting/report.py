"""One page that follows the data through the pipeline and tells how the run ended: `python -m src.report`."""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image
from ruamel.yaml import YAML

from src import cli, comparison, jsonfile, params, prediction, trained

PAGE = Path("report.html")
TEMPLATE = "report.html.jinja"
PICTURES = Path("plots/pictures")
VALIDATION = Path("data/predictions/validation.csv")
PIXELS_PER_INCH = 100  # of the page; the pictures have more, for sharp screens

SETS = ("train", "validation", "test")
# what goes into a stage and comes out of it, in the order of the pipeline; a star stands for the seeds
FILES: dict[str, tuple[list[str], list[str]]] = {
    "download": ([], ["data/raw/train.csv", "data/raw/test.csv", "data/raw/sample_submission.csv"]),
    "split": (["data/raw/train.csv"], [f"data/split/{name}/images.npy" for name in SETS[:2]]),
    "normalize": (
        [*(f"data/split/{name}/images.npy" for name in SETS[:2]), "data/raw/test.csv"],
        [f"data/normalized/{name}/images.npy" for name in SETS],
    ),
    "train": ([f"data/normalized/{name}/images.npy" for name in SETS[:2]], ["models/*.safetensors"]),
    "evaluate": (["data/normalized/validation/images.npy", "models/*.safetensors"], [str(VALIDATION)]),
    "predict": (
        ["data/normalized/test/images.npy", "models/*.safetensors"],
        ["data/predictions/probabilities.npy", "data/predictions/submission.csv"],
    ),
    "submit": (["data/predictions/submission.csv"], []),
}


@dataclass(frozen=True)
class Held:
    """What a file holds; `shape` is empty where the file is missing."""

    path: str
    shape: str = ""
    type: str = ""
    range: str = ""


@dataclass(frozen=True)
class Shown:
    """A picture for the page: a data URI and its size in CSS pixels; no `uri` where there is only a sentence."""

    text: str
    uri: str = ""
    width: int = 0
    height: int = 0


def held(path: Path) -> Held:
    """Return the shape, the type and the range of what a file holds."""
    if not path.exists():
        return Held(str(path))
    if path.suffix == ".npy":
        values = np.load(path, mmap_mode="r")
        ends = _range(values.min(), values.max()) if values.size else "empty"
        return Held(
            str(path), " \N{MULTIPLICATION SIGN} ".join(f"{size:,}" for size in values.shape), str(values.dtype), ends
        )
    if path.suffix == ".safetensors":
        arrays = trained.load(path).weights.values()
        low, high = min(array.min() for array in arrays), max(array.max() for array in arrays)
        count = sum(array.size for array in arrays)
        return Held(str(path), f"{count:,} weights", "float32", _range(low, high))
    with path.open("rb") as file:
        columns = file.readline().count(b",") + 1
        rows = sum(1 for _ in file)
    return Held(str(path), f"{rows:,} rows, {columns:,} columns", "text", f"{path.stat().st_size / 1e3:,.0f} kB")


def pictures(folder: Path) -> dict[str, Shown]:
    """Return the pictures that `draw` wrote, by name."""
    found = {}
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as image:
            words, (width, height), dpi = image.info, image.size, image.info["dpi"][0]
        if "Description" in words:
            uri = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
            scale = PIXELS_PER_INCH / dpi
            found[path.stem] = Shown(words["Description"], uri, round(width * scale), round(height * scale))
        else:
            found[path.stem] = Shown(words["Comment"])
    return found


def no_score(settings: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Say why the submission has no public score; empty if it has one."""
    submission = metrics.get("submit")
    if submission is None:
        return "The stage submit has not run."
    if "public_score" in submission:
        return ""
    if settings["submit"]["when"] == "never":
        return "Nothing was submitted: submit.when is never."
    if settings["source"] == "local":
        return "Files of the source local are submitted by hand: upload data/predictions/submission.csv."
    return "Nothing was submitted, for an earlier submission has a validation accuracy as good, or it has no score yet."


def unfinished() -> list[str]:
    """Return the stages whose results do not belong to the files and parameters as they are now, as DVC says."""
    done = subprocess.run([sys.executable, "-m", "dvc", "status", "--json"], capture_output=True, text=True)
    return [*json.loads(done.stdout)] if done.returncode == 0 else []


def render(facts: Mapping[str, Any]) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(facts)


def collect() -> dict[str, Any]:
    """Return all that the page tells, from what is there of the run in the current folder."""
    settings = dict(params.read())
    metrics = {comparison.metrics_name(path): jsonfile.read(path) for path in sorted(Path("metrics").rglob("*.json"))}
    compared = prediction.read_compared(VALIDATION) if VALIDATION.exists() else None
    pipeline = YAML(typ="safe", pure=True).load(Path("dvc.yaml"))["stages"]
    old_metrics = comparison.committed_metrics()
    return {
        "settings": settings,
        "metrics": metrics,
        "evaluation": metrics.get("evaluate", {}),
        "stages": {
            name: {"desc": pipeline[name]["desc"], "came_in": _held_all(came_in), "went_out": _held_all(went_out)}
            for name, (came_in, went_out) in FILES.items()
        },
        "pictures": pictures(PICTURES),
        "unfinished": unfinished(),
        "confusions": confusions(compared),
        "no_score": no_score(settings, metrics),
        "commit": comparison.head()[:8],
        "changed_params": comparison.changes(comparison.committed_params(), settings),
        "changed_metrics": comparison.changes(old_metrics, metrics),
        "verdict": comparison.verdict(
            old_metrics.get("evaluate", {}), metrics.get("evaluate", {}), comparison.committed_predictions(), compared
        ),
    }


def confusions(compared: pd.DataFrame | None) -> list[tuple[str, str, int]]:
    """Return the three commonest mistakes: label, predicted label and how often."""
    if compared is None or compared.empty:
        return []
    wrong = compared[compared["label"] != compared["predicted"]]
    counts: dict[Any, int] = wrong.groupby(["label", "predicted"]).size().to_dict()
    often = sorted(counts.items(), key=lambda item: -item[1])[:3]
    return [(label, predicted, int(count)) for (label, predicted), count in often]


def summary(facts: Mapping[str, Any]) -> str:
    """Return the short table that ends a run, as plain text."""
    evaluation, submission = facts["evaluation"], facts["metrics"].get("submit", {})
    rows = {"accuracy": "none: there is no validation result"}
    if "accuracy" in evaluation:
        interval = evaluation["accuracy_interval"]
        rows = {
            "accuracy": f"{evaluation['accuracy']:.4f}",
            "95 % interval": f"{interval['low']:.4f} to {interval['high']:.4f}",
            "errors": f"{evaluation['errors']:,} of {evaluation['images']:,} validation images",
        }
    rows["public score"] = str(submission["public_score"]) if "public_score" in submission else facts["no_score"]
    if facts["unfinished"]:
        rows["not up to date"] = ", ".join(facts["unfinished"])
    rows["report"] = str(PAGE.absolute())
    return "\n".join(f"{name:<15} {value}" for name, value in rows.items())


def main() -> None:
    """Write report.html from what is there of the run, and print the short table."""
    facts = collect()
    PAGE.write_text(render(facts), encoding="utf-8")
    print(summary(facts))


def _held_all(patterns: list[str]) -> list[Held]:
    paths = [path for pattern in patterns for path in sorted(Path().glob(pattern)) or [Path(pattern)]]
    return [held(path) for path in paths]


def _range(low: Any, high: Any) -> str:
    return f"{round(float(low), 3):g} to {round(float(high), 3):g}"


if __name__ == "__main__":
    cli.run(main)
