"""The page of the report: the facts of a run, and how they are rendered."""

import base64
import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from src.core import arrays, metrics, params
from src.data import images
from src.inference.members import Folds, Seeds
from src.reporting import comparison, git, status, submissions, templates
from src.reporting.pictures import labels, results

TEMPLATE = Path(__file__).with_name("page.html.jinja")
PICTURES = Path("plots/pictures")
TABLES = {"split": Path("plots/classes/split.csv"), "classes": Path("plots/classes/validation.csv"),
          "test": Path("plots/classes/test.csv"), "members": Path("plots/members.csv")}  # fmt: skip
MISTAKES = Path("data/predictions/mistakes.csv")
AUDIT = {"findings": Path("data/audit/findings.csv"), "adversarial": Path("data/audit/adversarial.csv")}
SHOWN = 40  # rows of a long table
REFUSALS = Path("metrics/refusals.yaml")
SCORES = ("evaluate", "submit")
PIXELS_PER_INCH = 100  # of the page; the pictures have more, for screens of high resolution

SETTINGS: dict[str, Any] = {"source": str, "recipe": str, "folds": Folds, "seeds": Seeds, "split.n_splits": int,
                            "submit.when": str}  # fmt: skip
"""The parameters that the page shows."""


@dataclass(frozen=True)
class DataFile:
    """A file that a stage reads or writes; `shape` is empty where the file is missing."""

    path: str
    shape: str = ""
    type: str = ""
    range: str = ""


@dataclass(frozen=True)
class EmbeddedPicture:
    """A picture as a data URI, with its size in CSS pixels; `uri` is empty where there is only a sentence."""

    text: str
    uri: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml with the data files that it reads and writes."""

    desc: str
    inputs: list[DataFile]
    outputs: list[DataFile]


def collect() -> dict[str, Any]:
    """Return all facts of the page, from the files of the run in the current folder; some may be missing.

    Raises:
        UserError: a parameter that the page shows is missing or wrong.
    """
    for key, kind in SETTINGS.items():
        params.get(key, kind)
    settings = dict(params.read())
    predicted = results.read_predictions(comparison.PREDICTIONS) if comparison.PREDICTIONS.exists() else None
    tables = {name: results.read_table(path) for name, path in TABLES.items() if path.exists()}
    by_file = {comparison.metrics_name(path): metrics.read(path) for path in sorted(Path("metrics").rglob("*.json"))}
    return {
        "settings": settings,
        "metrics": by_file,
        "evaluation": by_file.get("evaluate", {}),
        "tables": tables,
        "stages": read_stages(),
        "pictures": embed_pictures(PICTURES),
        "status": status.ask(),
        "sets": describe_sets(),
        "unvalidated": [row["class"] for row in tables.get("classes", []) if np.isnan(row["recall"])],
        "confusions": [] if predicted is None else results.top_confusions(predicted),
        "shares": class_shares(tables),
        "mistakes": describe_mistakes(by_file.get("evaluate")),
        "audit": describe_audit(),
        "submissions": submissions.table().to_dict("records"),
        "agreement": submissions.agreement(),
        "no_score": no_score(settings, by_file),
        **compare(comparison.Run(settings, by_file, predicted)),
    }


def compare(new: comparison.Run) -> dict[str, Any]:
    """Return what differs from the last commit."""
    commit = git.ask("rev-parse", "--verify", "HEAD")
    if not commit:
        return {"commit": "", "changed_params": [], "changed_metrics": [], "verdict": ""}
    old = comparison.committed_run()
    # accuracy and public score first, before the metrics of the other stages
    before, now = (
        {name: run.metrics[name] for name in (*SCORES, *run.metrics) if name in run.metrics} for run in (old, new)
    )
    return {
        "commit": commit[:8],
        "changed_params": comparison.changes(old.params, new.params),
        "changed_metrics": comparison.changes(before, now),
        "verdict": comparison.verdict(old, new),
    }


def read_stages() -> dict[str, Stage]:
    """Return the stages of dvc.yaml, in its order."""
    stages = params.load_yaml(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    outs = {name: [_path(out) for out in stage.get("outs", [])] for name, stage in stages.items()}
    written = [path for paths in outs.values() for path in paths]
    describe = functools.cache(describe_file)  # a file is the output of one stage and the input of others

    def is_data(dep: str) -> bool:
        return any(f"{out}/".startswith(f"{dep}/") or f"{dep}/".startswith(f"{out}/") for out in written)

    return {
        name: Stage(
            stage["desc"],
            [file for dep in stage["deps"] if is_data(dep) for file in _data_files(dep, describe)],
            [file for out in outs[name] for file in _data_files(out, describe)],
        )
        for name, stage in stages.items()
    }


def describe_file(path: Path) -> DataFile:
    """Return the shape, the type and the range of values of a file."""
    if not path.exists():
        return DataFile(str(path))
    if path.suffix == ".npy":
        values = np.load(path, mmap_mode="r")
        shape = " \N{MULTIPLICATION SIGN} ".join(f"{size:,}" for size in values.shape)
        return DataFile(str(path), shape, "text" if values.dtype.kind == "U" else str(values.dtype), _ends(values))
    if path.suffix == ".safetensors":
        weights = load_file(path).values()
        low, high = min(array.min() for array in weights), max(array.max() for array in weights)
        return DataFile(str(path), f"{sum(array.size for array in weights):,} weights", "float32", _range(low, high))
    with path.open("rb") as file:
        columns = file.readline().count(b",") + 1
        rows = sum(1 for _ in file)
    return DataFile(
        str(path),
        f"{rows:,} row{'' if rows == 1 else 's'}, {columns:,} columns",
        "text",
        f"{path.stat().st_size / 1e3:,.0f} kB",
    )


def describe_sets(normalized_dir: Path = Path("data/normalized")) -> dict[str, Any]:
    """Return the number of `labelled` and `test` images and of `classes`, the `side` and the `noun`; {} if missing."""
    if not all((normalized_dir / name).exists() for name in ("labelled", "test")):
        return {}
    labelled, test = (images.open_set(normalized_dir / name) for name in ("labelled", "test"))
    classes = np.unique(labelled.known_labels)
    sizes = {"labelled": len(labelled), "test": len(test), "side": labelled.side, "classes": len(classes)}
    return {**sizes, "noun": labels.noun(classes)}


def embed_pictures(folder: Path) -> dict[str, EmbeddedPicture]:
    """Return the pictures that `draw` wrote, by name."""
    pictures = {}
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as image:
            metadata, (width, height), dpi = image.info, image.size, image.info["dpi"][0]
        if "Description" in metadata:
            uri = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
            scale = PIXELS_PER_INCH / dpi
            pictures[path.stem] = EmbeddedPicture(
                metadata["Description"], uri, round(width * scale), round(height * scale)
            )
        else:
            pictures[path.stem] = EmbeddedPicture(metadata["Comment"])
    return pictures


def describe_mistakes(evaluation: Mapping[str, float] | None) -> dict[str, Any]:
    """Return the `first` mistakes, how many labels are `doubtful`, and the `accuracy` without these; {} if missing."""
    if not MISTAKES.exists() or not evaluation:
        return {}
    rows = results.read_table(MISTAKES)
    doubtful = sum(row["doubtful"] for row in rows)
    trusted = evaluation["images"] - doubtful
    accuracy = 1 - (evaluation["errors"] - doubtful) / trusted if trusted else 0.0
    return {"first": rows[:SHOWN], "doubtful": doubtful, "accuracy": accuracy}


def class_shares(tables: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the share of each `class` in the `labelled` and, as predicted, in the `test` images, in percent."""
    if not {"split", "test"} <= tables.keys():
        return []
    rows = {"labelled": tables["split"], "test": tables["test"]}
    totals = {name: sum(row["images"] for row in of_set) for name, of_set in rows.items()}
    counts = {name: {row["class"]: row["images"] for row in of_set} for name, of_set in rows.items()}
    return [
        {"class": label, **{name: 100 * counts[name].get(label, 0) / totals[name] for name in rows}}
        for label in counts["labelled"]
    ]


def describe_audit() -> dict[str, Any]:
    """Return the `first` findings, the `counts` of each kind, and the `adversarial` AUC; {} if missing."""
    if not all(path.exists() for path in AUDIT.values()):
        return {}
    findings, [adversarial] = (results.read_table(AUDIT[name]) for name in ("findings", "adversarial"))
    return {
        "first": findings[:SHOWN],
        "counts": Counter(row["finding"] for row in findings),
        "adversarial": adversarial,
    }


def no_score(settings: Mapping[str, Any], by_file: Mapping[str, Any]) -> str:
    """Return a sentence that says why the submission has no public score; empty if it has one."""
    submission = by_file.get("submit")
    if submission is None:
        return "The stage submit has not run."
    if "public_score" in submission:
        return ""
    if submission.get("refused"):
        reason = params.load_yaml(REFUSALS.read_text(encoding="utf-8"))["reason"] if REFUSALS.exists() else ""
        return f"The submission was refused, and the next run tries again. {reason}"
    if settings["submit"]["when"] == "never":
        return "Nothing was submitted: submit.when is never."
    if settings["source"] == "local":
        return "Predictions for the source local are submitted by hand: upload data/predictions/submission.csv."
    return "Nothing was submitted: an earlier submission has the same or a higher validation accuracy."


def short_table(facts: Mapping[str, Any], page_file: Path) -> str:
    """Return the short table that is printed after a run; `page_file` is where the page is written."""
    evaluation, submission = facts["evaluation"], facts["metrics"].get("submit", {})
    rows = {"accuracy": "none: there is no validation result"}
    if evaluation:
        rows = {
            "accuracy": f"{evaluation['accuracy']:.4f}",
            "95 % interval": f"{evaluation['ci_low']:.4f} to {evaluation['ci_high']:.4f}",
            "errors": f"{evaluation['errors']:,} of {evaluation['images']:,} validation images",
        }
    rows["public score"] = str(submission["public_score"]) if "public_score" in submission else facts["no_score"]
    if facts["status"].failure:
        rows["not checked"] = facts["status"].failure
    elif facts["status"].outdated:
        rows["not up to date"] = ", ".join(facts["status"].outdated)
    rows["report"] = str(page_file.absolute())
    if not facts["status"].failure and not facts["status"].outdated:
        rows["try next"] = f"{next_experiment(facts['settings'])} (after . .venv/bin/activate), or make demo"
    return "\n".join(f"{name:<15} {value}" for name, value in rows.items())


def next_experiment(settings: Mapping[str, Any]) -> str:
    """Return the command of an experiment that is likely to be better."""
    better = {"notebook": "linear", "linear": "mlp", "mlp": "quick", "quick": "cnn"}
    if (recipe := settings["recipe"]) in better:
        return f"dvc exp run -S recipe={better[recipe]}"
    folds = ",".join(map(str, range(settings["split"]["n_splits"])))
    more = f"folds=[{folds}]" if len(settings["folds"]) < settings["split"]["n_splits"] else "seeds=[0,1,2]"
    return f"dvc exp run -S '{more}'"


def render(facts: Mapping[str, Any], fingerprint: str, table: str) -> str:
    """Return the page as HTML; `fingerprint` and `table` are put into its head, where the next run reads them."""
    return templates.render(TEMPLATE, **facts, fingerprint=fingerprint, table=table)


def _path(out: str | Mapping[str, Any]) -> str:
    return out if isinstance(out, str) else next(iter(out))


def _data_files(pattern: str, describe: Callable[[Path], DataFile]) -> Iterator[DataFile]:
    """Yield the files of a path of dvc.yaml, in which each template stands for any text, as `describe` has them.

    Files that differ only in names and ranges, such as those of the networks, are described together.
    """
    found = sorted(Path().glob(re.sub(r"\$\{.*?\}", "*", pattern)))
    paths = [
        file for path in found or [Path(pattern)] for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
    ]
    described = [describe(file) for file in paths if not file.is_dir() and file.suffix not in (".png", ".json")]
    alike = groupby(described, lambda file: (Path(file.path).parent, Path(file.path).suffix, file.shape, file.type))
    for (folder, suffix, shape, type_), group in alike:
        files = [*group]
        together = DataFile(f"{folder}/*{suffix}", f"{len(files)} times {shape}", type_)
        yield files[0] if len(files) == 1 else together


def _ends(values: NDArray[Any]) -> str:
    """Return the least and the greatest value; NaN, of images that are not validated, is ignored."""
    if values.dtype.kind == "U":
        distinct = np.unique(values)
        return " to ".join(labels.short_names(distinct[[0, -1]]).values())
    ends = [(np.fmin.reduce(part, axis=None), np.fmax.reduce(part, axis=None)) for part in arrays.parts(values)]
    lows, highs = zip(*ends, strict=True)
    return _range(np.fmin.reduce(lows), np.fmax.reduce(highs))


def _range(low: Any, high: Any) -> str:
    return f"{round(float(low), 3):g} to {round(float(high), 3):g}"
