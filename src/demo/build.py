"""Write demo.html and demo/digit-recognizer.onnx from the trained ensemble: `python -m src.demo.build`."""

import json
import subprocess
import sys
from pathlib import Path

from src.core import cli, metrics, params
from src.core.errors import UserError
from src.core.metrics import Metrics
from src.data import images
from src.demo import export, page
from src.models import recipes
from src.models.recipes import Recipe

MODELS = Path("models")
TRAINING_SET = Path("data/normalized/train")
EVALUATION = Path("metrics/evaluate.json")
ONNX = Path("demo/digit-recognizer.onnx")
PAGE = Path("demo.html")


def main() -> None:
    """Write the page and the model, and print where they are and how large."""
    ensemble = export.read_ensemble(MODELS)
    first = next(iter(ensemble.values()))
    description = export.Description(
        classes=first.classes.tolist(),
        side=first.side,
        recipe=name_of(first.recipe),
        members=[*ensemble],
        evaluation=evaluation(),
        commit=commit(),
    )
    export.write(ONNX, [*ensemble.values()], description.metadata())
    html = page.render(description, ONNX.read_bytes(), images.open_set(TRAINING_SET))
    PAGE.write_text(html, encoding="utf-8")
    for path in (ONNX, PAGE):
        print(f"{path.absolute()}  {path.stat().st_size / 1e3:,.0f} kB")


def name_of(recipe: Recipe) -> str:
    """Return the name of the recipe that params.yaml selects.

    Raises:
        UserError: the model was trained with another `recipe`.
    """
    name = params.get("recipe", str)
    if recipes.get(name) != recipe:
        raise UserError(f"{MODELS}: not trained with the recipe that {params.PATH} selects; run `make repro` first")
    return name


def evaluation() -> Metrics:
    """Return the scores of the ensemble on the validation set.

    Raises:
        UserError: they are missing, or are those of other models.
    """
    command = [sys.executable, "-m", "dvc", "status", "--json", "evaluate"]
    done = subprocess.run(command, capture_output=True, text=True)
    changes = json.loads(done.stdout).get("evaluate", []) if done.returncode == 0 else []
    changed = {path for change in changes if isinstance(change, dict) for paths in change.values() for path in paths}
    if not EVALUATION.exists() or changed & {str(MODELS), str(EVALUATION)}:
        raise UserError(f"{EVALUATION}: not the scores of the models in {MODELS}; run `make repro` first")
    return metrics.read(EVALUATION)


def commit() -> str:
    """Return the hash of git's last commit, with `-dirty` where tracked files differ from it; empty outside of git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:  # git is not installed
        return ""


if __name__ == "__main__":
    cli.run(main)
