"""Write demo.html and demo/digit-recognizer.onnx from the trained ensemble: `python -m src.demo.build`."""

from pathlib import Path

from src.core import cli, metrics, params
from src.data import images
from src.demo import export, page
from src.inference import ensemble
from src.reporting import git, status

MODELS = Path("models")
LABELLED = Path("data/normalized/labelled")
EVALUATION = Path("metrics/evaluate.json")
ONNX = Path("demo/digit-recognizer.onnx")
PAGE = Path("demo.html")


def main() -> None:
    """Write the page and the model, and print where they are and how large."""
    members = ensemble.read(MODELS)
    status.ask().refuse(str(PAGE))
    description = export.Description(
        classes=members[0].classes.tolist(),
        side=members[0].side,
        bright_background=members[0].bright_background,
        recipe=params.get("recipe", str),
        folds=sorted({member.fold for member in members}),
        seeds=sorted({member.seed for member in members}),
        evaluation=metrics.read(EVALUATION),
        commit=git.ask("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"),
    )
    export.write(ONNX, members, description.metadata())
    html = page.render(description, ONNX.read_bytes(), images.open_set(LABELLED))
    PAGE.write_text(html, encoding="utf-8")
    for path in (ONNX, PAGE):
        print(f"{path.absolute()}  {path.stat().st_size / 1e3:,.0f} kB")


if __name__ == "__main__":
    cli.run(main)
