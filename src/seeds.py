"""The seeds of the run: one model each."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel, model_validator


class Seeds(RootModel[Annotated[list[Annotated[int, Field(ge=0, lt=2**63, strict=True)]], Field(min_length=1)]]):
    """The key `seeds` of params.yaml: a list of distinct whole numbers."""

    @model_validator(mode="after")
    def _distinct(self) -> "Seeds":
        if len(set(self.root)) < len(self.root):
            raise ValueError("a seed stands twice in the list")
        return self


def keep_only(seeds: Iterable[int], *folders: Path) -> None:
    """Delete the files in `folders` that belong to no seed of `seeds`.

    DVC leaves the outputs of a seed behind when it is taken out of params.yaml. Each stage that depends on the whole
    folder takes them away, so that they reach neither its result nor the hash that DVC records after it. The cache
    still has them: a seed that comes back is not trained again.
    """
    names = {str(seed) for seed in seeds}
    for folder in folders:
        for file in folder.glob("*"):
            if file.stem not in names:
                file.unlink()
