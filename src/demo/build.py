"""Write demo.html and demo/digit-recognizer.onnx from the trained ensemble: `python -m src.demo.build`."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from src.core import cli, metrics, params
from src.core.errors import UserError
from src.core.metrics import Metrics
from src.data import images
from src.demo import export, page
from src.models import recipes
from src.models.checkpoints import Checkpoint

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
        recipes=recipes_of(ensemble),
        seeds=seeds_of(ensemble),
        evaluation=evaluation(),
        commit=commit(),
    )
    export.write(ONNX, [*ensemble.values()], description.metadata())
    html = page.render(description, ONNX.read_bytes(), images.open_set(TRAINING_SET))
    PAGE.write_text(html, encoding="utf-8")
    for path in (ONNX, PAGE):
        print(f"{path.absolute()}  {path.stat().st_size / 1e3:,.0f} kB")


def recipes_of(ensemble: Mapping[str, Checkpoint]) -> list[str]:
    """Return the names of the recipes, which are in params.yaml and not in the models.

    Raises:
        UserError: a model was not trained with the recipe of that name in params.yaml.
    """
    selected = params.get("recipe", str)
    names = {member: member.rpartition("-")[0] or selected for member in ensemble}
    for member, name in names.items():
        if recipes.get(name) != ensemble[member].recipe:
            file = MODELS / f"{member}.safetensors"
            raise UserError(f"{file}: not trained with the recipe {name} of {params.PATH}; run `make repro` first")
    return [*dict.fromkeys(names.values())]


def seeds_of(ensemble: Mapping[str, Checkpoint]) -> list[int]:
    """Return the seeds, each of which every recipe was trained with."""
    return [*dict.fromkeys(int(member.rpartition("-")[2]) for member in ensemble)]


def evaluation() -> Metrics:
    """Return the scores of the ensemble on the validation set.

    Raises:
        UserError: they are missing, or are those of other models, or DVC cannot tell.
    """
    command = [sys.executable, "-m", "dvc", "status", "--json", "evaluate"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        reason = done.stderr.strip().partition("\n")[0] or f"exit status {done.returncode}"
        raise UserError(f"`dvc status` failed: {reason}")
    changes = [change for change in json.loads(done.stdout).get("evaluate", []) if isinstance(change, dict)]
    changed = {path for change in changes for paths in change.values() for path in paths}
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
