"""The stages of dvc.yaml, with the data files that they read and write."""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from src.core import arrays
from src.core.yaml_1_2 import load_yaml
from src.reporting.pictures import labels


@dataclass(frozen=True)
class DataFile:
    """A file that a stage reads or writes; `shape` is empty where the file is missing."""

    path: str
    shape: str = ""
    type: str = ""
    range: str = ""


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml with the data files that it reads and writes."""

    desc: str
    inputs: list[DataFile]
    outputs: list[DataFile]


def read_stages() -> dict[str, Stage]:
    """Return the stages of dvc.yaml, in its order."""
    entries = load_yaml(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    stages = {name: entry.get("do", entry) for name, entry in entries.items()}
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
    parts = arrays.parts(values, doing="describing the rows of an array")
    ends = [(np.fmin.reduce(part, axis=None), np.fmax.reduce(part, axis=None)) for part in parts]
    lows, highs = zip(*ends, strict=True)
    return _range(np.fmin.reduce(lows), np.fmax.reduce(highs))


def _range(low: Any, high: Any) -> str:
    return f"{round(float(low), 3):g} to {round(float(high), 3):g}"
