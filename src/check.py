"""Check params.yaml as a whole, before any stage runs: `python -m src.check`."""

from typing import Annotated

from pydantic import Field

from src import cli, params
from src.errors import UserError
from src.params import Section
from src.recipes import Device, Recipe
from src.seeds import Seeds
from src.sources import kaggle, local, sample
from src.splitting import SplitParams
from src.submission import SubmitParams


class Sources(Section):
    """Section `sources` of params.yaml."""

    sample: sample.Source
    local: local.Source
    kaggle: kaggle.Source


class Params(Section):
    """All of params.yaml."""

    source: str
    recipe: str
    device: Device
    seeds: Seeds
    sources: Sources
    split: SplitParams
    recipes: Annotated[dict[str, Recipe], Field(min_length=1)]
    submit: SubmitParams


def main() -> None:
    """Refuse a params.yaml with an unknown key, a wrong value, or a source, recipe or device that is not there."""
    content = params.check(params.read(), Params, [])
    for key, value, known in (
        ("source", content.source, Sources.model_fields),
        ("recipe", content.recipe, content.recipes),
    ):
        if value not in known:
            raise UserError(f"{params.PATH}: {key}: there is no {value!r}; choose one of {', '.join(known)}")
    if content.device.root != "cpu":
        from src import device  # with torch, which takes its time to load

        device.load()


if __name__ == "__main__":
    cli.run(main)
