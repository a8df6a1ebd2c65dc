"""The members of the ensemble: one model for each recipe and seed in params.yaml."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel, model_validator

from src.core.errors import UserError
from src.core.outputs import replacing

FILE = "ensemble.json"
_NAME = re.compile(r"(.+-)?\d+")


class Seeds(RootModel[Annotated[list[Annotated[int, Field(ge=0, lt=2**63, strict=True)]], Field(min_length=1)]]):
    """The key `seeds` of params.yaml: a list of distinct integers."""

    @model_validator(mode="after")
    def _distinct(self) -> "Seeds":
        if len(set(self.root)) < len(self.root):
            raise ValueError("duplicate seed in the list")
        return self


class MoreRecipes(RootModel[list[str]]):
    """The key `more_recipes` of params.yaml: a list of distinct keys of `recipes`, which may be empty."""

    @model_validator(mode="after")
    def _distinct(self) -> "MoreRecipes":
        if len(set(self.root)) < len(self.root):
            raise ValueError("duplicate recipe in the list")
        return self


def names(seeds: list[int], more_recipes: list[str]) -> list[str]:
    """Return the names of the members: `<seed>` for the recipe of the run, `<recipe>-<seed>` for the other recipes."""
    return [f"{prefix}{seed}" for prefix in ("", *(f"{recipe}-" for recipe in more_recipes)) for seed in seeds]


def write(path: Path, members: list[str]) -> None:
    """Write the names of the members as JSON."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({"members": members}) + "\n")


def remove_others(members: list[str], folders: Iterable[Path]) -> None:
    """Delete the files in `folders` that are named as those of a member but belong to none of the `members`.

    DVC cannot expand a list of members into the deps of a stage (treeverse/dvc#7151), so `evaluate`, `predict` and
    `draw` depend on whole folders, and what DVC leaves there when a seed or a recipe is removed from params.yaml would
    be hashed into dvc.lock and be missing in a fresh clone. No stage owns these files any more, and the cache still has
    them: a member that is put back is not trained again.
    """
    for folder in folders:
        for file in folder.glob("*"):
            if _NAME.fullmatch(file.stem) and file.stem not in members:
                file.unlink()


def read(models_dir: Path) -> dict[str, Path]:
    """Return the checkpoint of each member of the ensemble.

    Raises:
        UserError: the folder holds another model, which DVC would record as a dependency of the result.
    """
    names: list[str] = json.loads((models_dir / FILE).read_text())["members"]
    members = {name: models_dir / f"{name}.safetensors" for name in names}
    if others := sorted({*models_dir.glob("*.safetensors")} - {*members.values()}):
        raise UserError(
            f"{others[0]}: the ensemble has no such member (params.yaml: seeds, more_recipes); move it elsewhere, or "
            "let `dvc repro --force ensemble` remove it"
        )
    return members
