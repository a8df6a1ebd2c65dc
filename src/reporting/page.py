"""The page of the report and the short table: how the facts of a run are rendered."""

import base64
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
    return templates.render(TEMPLATE, **facts, pictures=embed_pictures(PICTURES), fingerprint=fingerprint, table=table)


def embed_pictures(folder: Path) -> dict[str, EmbeddedPicture]:
    """Return the pictures that `draw` wrote, by name."""
    pictures = {}
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as image:
            metadata, (width, height), dpi = image.info, image.size, image.info["dpi"][0]
        if "Description" in metadata:
            uri = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
            scale = PIXELS_PER_INCH / dpi
            pictures[path.stem] = EmbeddedPicture(
                metadata["Description"], uri, round(width * scale), round(height * scale)
            )
        else:
            pictures[path.stem] = EmbeddedPicture(metadata["Comment"])
    return pictures


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
