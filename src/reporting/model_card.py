"""Write docs/model-card.md, what there is to know about the trained ensemble: `python -m src.reporting.model_card`."""

from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from src.core import cli, metrics, params
from src.core.errors import UserError
from src.core.outputs import replacing
from src.inference import members
from src.reporting.pictures import results

CARD = Path("docs/model-card.md")
TEMPLATE = "model_card.md.jinja"
METRICS = Path("metrics")
MODELS = Path("models")
CLASSES = Path("plots/classes/validation.csv")
PREDICTIONS = Path("data/predictions/validation.csv")


def main() -> None:
    """Write the card from the parameters, the metrics and the validation predictions of the last run.

    Raises:
        UserError: something that the card tells of is missing.
    """
    wanted = [METRICS / f"{name}.json" for name in ("download", "split", "evaluate", "submit")]
    for path in [*wanted, MODELS / members.FILE, CLASSES, PREDICTIONS]:
        if not path.exists():
            raise UserError(f"{path} is missing; run `make repro` first")
    with replacing(CARD) as temporary:
        temporary.write_text(render(), encoding="utf-8")
    print(CARD)


def render() -> str:
    """Return the card as Markdown."""
    settings: dict[str, Any] = dict(params.read())
    recipes = [settings["recipe"], *settings["more_recipes"]]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE).render(
        source=settings["source"],
        competition=settings["sources"]["kaggle"]["competition"],
        split=settings["split"],
        recipes={name: settings["recipes"][name] for name in recipes},
        members=[*members.read(MODELS)],
        download=metrics.read(METRICS / "download.json"),
        sets=metrics.read(METRICS / "split.json"),
        scores=metrics.read(METRICS / "evaluate.json"),
        submission=metrics.read(METRICS / "submit.json"),
        classes=pd.read_csv(CLASSES).to_dict("records"),
        confusions=results.top_confusions(results.read_predictions(PREDICTIONS), 5),
    )


if __name__ == "__main__":
    cli.run(main)
