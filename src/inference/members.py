"""The members of the ensemble: one model for each seed in params.yaml."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel, model_validator

from src.core.errors import UserError
from src.core.outputs import replacing

FILE = "ensemble.json"


class Seeds(RootModel[Annotated[list[Annotated[int, Field(ge=0, lt=2**63, strict=True)]], Field(min_length=1)]]):
    """The key `seeds` of params.yaml: a list of distinct integers."""

    @model_validator(mode="after")
    def _distinct(self) -> "Seeds":
        if len(set(self.root)) < len(self.root):
            raise ValueError("duplicate seed in the list")
        return self


def write(path: Path, seeds: list[int]) -> None:
    """Write which seeds make up the ensemble."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({"seeds": seeds}) + "\n")


def remove_others(seeds: list[int], folders: Iterable[Path]) -> None:
    """Delete the files in `folders` that are named after a seed outside of `seeds`.

    DVC leaves them behind when a seed is taken out of params.yaml, and no stage owns them any more. The cache still has
    them: a seed that is put back is not trained again.
    """
    for folder in folders:
        for file in folder.glob("*"):
            if file.stem.isdecimal() and int(file.stem) not in seeds:
                file.unlink()


def read(models_dir: Path) -> dict[int, Path]:
    """Return the checkpoint of each seed of the ensemble.

    Raises:
        UserError: the folder holds another model, which DVC would record as a dependency of the result.
    """
    seeds: list[int] = json.loads((models_dir / FILE).read_text())["seeds"]
    members = {seed: models_dir / f"{seed}.safetensors" for seed in seeds}
    if others := sorted({*models_dir.glob("*.safetensors")} - {*members.values()}):
        raise UserError(
            f"{others[0]}: the ensemble has no such member (params.yaml: seeds); run `dvc repro --force ensemble`"
        )
    return members
