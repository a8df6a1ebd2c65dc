"""Five folds of each recipe: every labelled image is predicted by a network that was not trained on it.

The stages run as after `dvc exp run -S source=local -S sources.local.path=… -S recipe=… -S 'folds=[0,1,2,3,4]'`, each
in a process of its own, whose start counts. On two cores that takes a quarter of an hour, half of it for `cnn`. `wide`
is for a GPU and left out.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.full_data import FOLD, FullData
from benchmarks.project import Project, set_params
from benchmarks.timing import Row
from src.core import metrics
from src.models.recipes import Recipe

FOLDS = [0, 1, 2, 3, 4]
RECIPES = ("quick", "linear", "mlp", "notebook", "cnn")


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Run all stages up to `evaluate` with each of `RECIPES`, as they are in params.yaml."""
    rows = []
    with TemporaryDirectory() as folder:
        project = Project(Path(folder), data.raw_dir, {"folds": FOLDS})
        for stage in ("download@files", "split", "normalize"):
            project.run(stage)
        for recipe in RECIPES:
            set_params(project.root, {"recipe": recipe})
            training = [project.run(f"train@{fold}-0")[0] for fold in FOLDS]
            _, predict, evaluate = (project.run(stage)[0] for stage in ("ensemble", "predict", "evaluate"))
            scores = metrics.read(project.root / "metrics" / "evaluate.json")
            accuracy = f"{scores['accuracy']:.4f} ({scores['ci_low']:.4f} to {scores['ci_high']:.4f})"
            figures = {
                f"seconds to train a network, accuracy (95 % interval), errors of {scores['images']:,}": (
                    f"{sum(training) / len(training):.0f}, {accuracy}, {scores['errors']}"
                ),
                "seconds to train all, to train one, to predict, to evaluate": (
                    f"{sum(training):.1f}, {training[FOLD]:.1f}, {predict:.1f}, {evaluate:.1f}"
                ),
            }
            rows += [Row(f"{recipe}, five folds: {what}", "", found, "") for what, found in figures.items()]
    return rows
