"""The page of the report and the short table: how the facts of a run are rendered."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from src.reporting import templates

TEMPLATE = Path(__file__).with_name("page.html.jinja")
PICTURES = Path("plots/pictures")
PIXELS_PER_INCH = 100  # of the page; the pictures have more, for screens of high resolution


@dataclass(frozen=True)
class EmbeddedPicture:
    """A picture as a data URI, with its size in CSS pixels; `uri` is empty where there is only a sentence."""

    text: str
    uri: str = ""
    width: int = 0
    height: int = 0


def render(facts: Mapping[str, Any], fingerprint: str, table: str) -> str:
    """Return the page as HTML; `fingerprint` and `table` are put into its head, where the next run reads them."""
    pictures = {"pictures": embed_pictures(PICTURES), "experiment_pictures": draw_experiments(facts["experiments"])}
    return templates.render(TEMPLATE, **facts, **pictures, fingerprint=fingerprint, table=table)


def draw_experiments(experiments: Mapping[str, Any]) -> dict[str, EmbeddedPicture]:
    """Return the pictures of the experiments, by name; there is none before one has finished."""
    if not experiments["rows"]:
        return {}
    from src.reporting.experiments import pictures  # loads matplotlib
    from src.reporting.pictures import style

    embedded = {}
    with style.applied():
        for name, picture in pictures.draw(experiments["found"], experiments["verdicts"]).items():
            embedded[name] = EmbeddedPicture(picture.text)
            if picture.figure is not None:
                png = io.BytesIO()
                picture.figure.savefig(png, format="png", dpi=style.DPI)
                width, height = (round(PIXELS_PER_INCH * inches) for inches in picture.figure.get_size_inches())
                embedded[name] = EmbeddedPicture(picture.text, _uri(png.getvalue()), width, height)
    return embedded


def embed_pictures(folder: Path) -> dict[str, EmbeddedPicture]:
    """Return the pictures that `draw` wrote, by name."""
    pictures = {}
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as image:
            metadata, (width, height), dpi = image.info, image.size, image.info["dpi"][0]
        if "Description" in metadata:
            scale = PIXELS_PER_INCH / dpi
            pictures[path.stem] = EmbeddedPicture(
                metadata["Description"], _uri(path.read_bytes()), round(width * scale), round(height * scale)
            )
        else:
            pictures[path.stem] = EmbeddedPicture(metadata["Comment"])
    return pictures


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def short_table(facts: Mapping[str, Any], page_file: Path) -> str:
    """Return the short table that is printed after a run; `page_file` is where the page is written."""
    evaluation, submission = facts["evaluation"], facts["metrics"].get("submit", {})
    rows = {"accuracy": "none: there is no validation result"}
    if evaluation:
        rows = {
            "accuracy": f"{evaluation['accuracy']:.4f}",
            "95 % interval": f"{evaluation['ci_low']:.4f} to {evaluation['ci_high']:.4f}",
            "errors": f"{evaluation['errors']:,} of {evaluation['images']:,} validation images",
        }
    rows["public score"] = str(submission["public_score"]) if "public_score" in submission else facts["no_score"]
    if facts["status"].failure:
        rows["not checked"] = facts["status"].failure
    elif facts["status"].outdated:
        rows["not up to date"] = ", ".join(facts["status"].outdated)
    rows["report"] = str(page_file.absolute())
    if not facts["status"].failure and not facts["status"].outdated:
        rows["try next"] = f"{next_experiment(facts['settings'])} (after . .venv/bin/activate), or make demo"
    return "\n".join(f"{name:<15} {value}" for name, value in rows.items())


def next_experiment(settings: Mapping[str, Any]) -> str:
    """Return the command of an experiment that is likely to be better."""
    better = {"notebook": "linear", "linear": "mlp", "mlp": "quick", "quick": "cnn"}
    if (recipe := settings["recipe"]) in better:
        return f"dvc exp run -S recipe={better[recipe]}"
    folds = ",".join(map(str, range(settings["split"]["n_splits"])))
    more = f"folds=[{folds}]" if len(settings["folds"]) < settings["split"]["n_splits"] else "seeds=[0,1,2]"
    return f"dvc exp run -S '{more}'"
