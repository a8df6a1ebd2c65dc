"""Validate all of params.yaml before any stage runs: `python -m src.check`."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field

from src.core import cli, conflicts, params
from src.core.errors import UserError
from src.core.params import Section
from src.inference.members import Folds, Seeds
from src.models.recipes import Device, Recipe
from src.preparation.folds import SplitParams
from src.sources.kaggle.source import Source as KaggleSource
from src.sources.local.source import Source as LocalSource
from src.sources.sample.source import Source as SampleSource
from src.sources.submission import SubmitParams
from src.training import launching


class Sources(Section):
    """Section `sources` of params.yaml."""

    sample: SampleSource
    local: LocalSource
    kaggle: KaggleSource


class Params(Section):
    """All of params.yaml."""

    source: str
    recipe: str
    folds: Folds
    seeds: Seeds
    device: Device
    launcher: str
    sources: Sources
    split: SplitParams
    recipes: Annotated[dict[str, Recipe], Field(min_length=1)]
    submit: SubmitParams


def main() -> None:
    """Refuse unknown keys, wrong values, unfinished merges, and an unknown source, recipe, device or launcher."""
    for path in [Path("dvc.lock"), Path("dvc.yaml"), *Path("metrics").rglob("*.*")]:
        if path.exists():
            conflicts.refuse(path, path.read_text(encoding="utf-8"))
    content = params.validate(params.read(), Params, [])
    choices: list[tuple[str, str, Iterable[str]]] = [
        ("source", content.source, Sources.model_fields),
        ("recipe", content.recipe, content.recipes),
    ]
    for key, value, known in choices:
        if value not in known:
            raise UserError(f"{params.PATH}: {key}: there is no {value!r}; choose one of {', '.join(known)}")
    if content.source == "local" and not Path(local := content.sources.local.path).exists():  # DVC names no key
        raise UserError(f"{params.PATH}: sources.local.path: there is no {local}")
    if (last := max(content.folds.root)) >= content.split.n_splits:
        raise UserError(
            f"{params.PATH}: folds: there is no fold {last}; with split.n_splits {content.split.n_splits} they "
            f"are 0 to {content.split.n_splits - 1}"
        )
    if not subprocess.run(["git", "config", "user.email"], capture_output=True).stdout:
        print("note: `dvc exp run` needs your name in git: git config --global user.name NAME, and user.email likewise")
    if content.device.root != "cpu":
        from src.models import device  # imports torch, which takes a second or more

        device.selected()
    if content.launcher != "python":
        launching.words(content.launcher)


if __name__ == "__main__":
    cli.run(main)
