"""The members of the ensemble: a network for each fold and each seed in params.yaml, named `<fold>-<seed>`."""

import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, RootModel

from src.core.errors import UserError
from src.core.outputs import replacing

_NAME = re.compile(r"\d+-\d+")


def _distinct(numbers: list[int]) -> list[int]:
    if len(set(numbers)) < len(numbers):
        raise ValueError("a number occurs twice in the list")
    return numbers


Distinct = Annotated[
    list[Annotated[int, Field(ge=0, lt=2**63, strict=True)]], Field(min_length=1), AfterValidator(_distinct)
]


class Folds(RootModel[Distinct]):
    """The key `folds` of params.yaml: the validation folds, each with networks trained on all others."""


class Seeds(RootModel[Distinct]):
    """The key `seeds` of params.yaml: a network is trained for each of them and each fold."""


def names(folds: Iterable[int], seeds: Sequence[int]) -> list[str]:
    """Return the names of the members."""
    return [f"{fold}-{seed}" for fold in folds for seed in seeds]


def fold_and_seed(file: Path) -> tuple[int, ...]:
    """Return what a member's file is named after, in numbers, to sort by."""
    return tuple(map(int, file.stem.split("-")))


def gather(members: Iterable[str], checkpoints_dir: Path, models_dir: Path) -> None:
    """Copy the checkpoints of the members, and nothing else, to a new folder `models_dir`.

    Raises:
        UserError: one is missing, or there is another model, which would be hashed into dvc.lock.
    """
    if others := [file for file in checkpoints_dir.glob("*.safetensors") if not _NAME.fullmatch(file.stem)]:
        raise UserError(f"{others[0]}: this is no network of a fold and a seed; move it elsewhere")
    with replacing(models_dir) as folder:
        folder.mkdir()
        for name in members:
            try:
                shutil.copyfile(checkpoints_dir / f"{name}.safetensors", folder / f"{name}.safetensors")
            except FileNotFoundError as error:
                raise UserError(f"{error.filename}: there is no such model; run `dvc repro`") from None


def remove_others(members: Iterable[str], folders: Iterable[Path]) -> None:
    """Delete the files in `folders` that are named as those of a member but belong to none of the `members`.

    DVC cannot expand a list of members into the deps of a stage (treeverse/dvc#7151), so `ensemble` and `draw` depend
    on whole folders, and what DVC leaves there when a fold or a seed is removed from params.yaml would be hashed into
    dvc.lock and be missing in a fresh clone. No stage owns these files any more, and the cache still has them: a member
    that is put back is not trained again.
    """
    kept = set(members)
    for folder in folders:
        for file in folder.glob("*"):
            if _NAME.fullmatch(file.stem) and file.stem not in kept:
                file.unlink()
