"""Metrics as JSON files that are equal, byte for byte, for equal runs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from src.core import conflicts
from src.core.outputs import replacing

Metrics: TypeAlias = Mapping[str, "Metrics | float"]


def write(path: Path, metrics: Metrics) -> None:
    """Write `metrics`, numbers by name in nested mappings, with floats rounded to six decimals.

    Digits beyond the sixth decimal depend on the machine, not on the run.

    Raises:
        ValueError: a number is NaN or infinite, which JSON cannot hold.
    """
    text = json.dumps(_rounded(metrics), indent=2, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def read(path: Path) -> dict[str, Any]:
    """Return the metrics that `write` wrote.

    Raises:
        UserError: the file holds an unfinished merge.
    """
    text = path.read_text(encoding="utf-8")
    conflicts.refuse(path, text)
    content: dict[str, Any] = json.loads(text)
    return content


def _rounded(value: Metrics | float) -> object:
    if isinstance(value, Mapping):
        return {str(name): _rounded(inner) for name, inner in value.items()}
    return round(value, 6) if isinstance(value, float) else value
