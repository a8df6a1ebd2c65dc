"""Write docs/model-card.md, which describes the trained networks: `python -m src.reporting.model_card`."""

from pathlib import Path
from typing import Any

from src.core import cli, metrics, params
from src.core.errors import UserError
from src.core.outputs import replacing
from src.inference.members import fold_and_seed
from src.models import checkpoints, recipes
from src.models.recipes import SIDE, Recipe
from src.reporting import comparison, status, templates
from src.reporting.facts import describe_sets
from src.reporting.pictures import results

CARD = Path("docs/model-card.md")
TEMPLATE = Path(__file__).with_name("model_card.md.jinja")
METRICS = Path("metrics")
MODELS = Path("models")
CLASSES = Path("plots/classes/validation.csv")


def main() -> None:
    """Write the card from the parameters, the metrics and the validation predictions of the last run.

    Raises:
        UserError: a result that the card needs is missing or not up to date.
    """
    wanted = [METRICS / f"{name}.json" for name in ("evaluate", "submit")]
    for path in [*wanted, MODELS, CLASSES, comparison.PREDICTIONS]:
        if not path.exists():
            raise UserError(f"{path} is missing; run `make repro` first")
    status.ask().refuse(str(CARD))
    with replacing(CARD) as temporary:
        temporary.write_text(render(), encoding="utf-8")
    print(CARD)


def render() -> str:
    """Return the card as Markdown."""
    settings: dict[str, Any] = dict(params.read())
    members = sorted(MODELS.glob("*.safetensors"), key=fold_and_seed)
    return templates.render(
        TEMPLATE,
        source=settings["source"],
        competition=settings["sources"]["kaggle"]["competition"],
        settings=settings,
        recipe=describe(recipes.get(settings["recipe"])),
        members=[path.stem for path in members],
        background="bright" if checkpoints.read(members[0]).bright_background else "dark",
        sets=describe_sets(),
        scores=metrics.read(METRICS / "evaluate.json"),
        submission=metrics.read(METRICS / "submit.json"),
        classes=results.read_table(CLASSES),
        confusions=results.top_confusions(results.read_predictions(comparison.PREDICTIONS), 5),
    )


def describe(recipe: Recipe) -> str:
    """Return how a recipe trains, and what it does to the images, in words."""
    parts = [
        f"model `{recipe.model}`",
        f"loss `{recipe.loss}`",
        f"optimizer `{recipe.optimizer}`",
        f"learning rate {recipe.lr:g}",
        f"{recipe.epochs} epoch{'' if recipe.epochs == 1 else 's'} of batches of {recipe.batch_size}",
    ]
    if recipe.preprocessing is not None and recipe.preprocessing.deslant:
        parts.append("images deslanted")
    if recipe.preprocessing is not None and recipe.preprocessing.width is not None:
        parts.append(f"what they show scaled to a width of {recipe.preprocessing.width} pixels in {SIDE}")
    if recipe.augmentation is not None:
        parts.append("training images distorted at random")
    if recipe.test_time_shift:
        pixels = "1 pixel" if recipe.test_time_shift == 1 else f"{recipe.test_time_shift} pixels"
        parts.append(
            f"low-confidence probabilities averaged over the image and its eight copies shifted by {pixels} in {SIDE}"
        )
    return ", ".join(parts)


if __name__ == "__main__":
    cli.run(main)
