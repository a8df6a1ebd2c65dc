"""Validate all of params.yaml before any stage runs: `python -m src.check`."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from src.core import cli, params
from src.core.errors import UserError
from src.core.params import Section
from src.inference.members import MoreRecipes, Seeds
from src.models.recipes import Device, Recipe
from src.preparation.splitting import SplitParams
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
    more_recipes: MoreRecipes
    device: Device
    launcher: str
    seeds: Seeds
    sources: Sources
    split: SplitParams
    recipes: Annotated[dict[str, Recipe], Field(min_length=1)]
    submit: SubmitParams


def main() -> None:
    """Refuse an unknown key, a wrong value, or a source, recipe, device or launcher that does not exist."""
    content = params.validate(params.read(), Params, [])
    choices: list[tuple[str, str, Iterable[str]]] = [
        ("source", content.source, Sources.model_fields),
        ("recipe", content.recipe, content.recipes),
        *(("more_recipes", name, content.recipes) for name in content.more_recipes.root),
    ]
    for key, value, known in choices:
        if value not in known:
            raise UserError(f"{params.PATH}: {key}: there is no {value!r}; choose one of {', '.join(known)}")
    if content.recipe in content.more_recipes.root:
        raise UserError(
            f"{params.PATH}: more_recipes: {content.recipe!r} is already the recipe; remove it from the list"
        )
    if content.device.root != "cpu":
        from src.models import device  # imports torch, which takes a second or more

        device.selected()
    if content.launcher != "python":
        launching.words(content.launcher)


if __name__ == "__main__":
    cli.run(main)
