"""What README.md says can be done, done as it says."""

import csv
import json
import re

import pytest

from tests.conftest import ROOT, Project

README = (ROOT / "README.md").read_text()

WIDE = '''

class Wide(nn.Sequential):
    """A multilayer perceptron with one narrow hidden layer."""

    def __init__(self, side: int, classes: int, recipe: Recipe) -> None:
        super().__init__(nn.Flatten(), nn.Linear(side * side, 64), nn.ReLU(), nn.Linear(64, classes))
'''

HALF = '''"""The source `half`: the first rows of another source's files."""

from collections.abc import Sequence
from pathlib import Path

from src.core.params import Section
from src.sources.interface import Sent


class Source(Section):
    """The first rows of the files in a folder."""

    folder: str
    rows: int

    def download(self, into: Path, names: Sequence[str]) -> None:
        """Copy the header and the first rows of each file."""
        for name in names:
            lines = (Path(self.folder) / name).read_text().splitlines(keepends=True)
            (into / name).write_text("".join(lines[: self.rows + 1]))

    @property
    def lock(self) -> Path:
        """One for the project."""
        return Path(".submit.lock.tmp")

    def earlier(self) -> list[Sent]:
        """Return no submissions."""
        return []

    def submit(self, csv: Path, message: str) -> None:
        """Say which file holds the predictions."""
        print(f"the predictions are in {csv}")
'''


def replace(project: Project, file: str, old: str, new: str) -> None:
    path = project.root / file
    text = path.read_text()
    assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new))


def append(project: Project, file: str, text: str) -> None:
    with (project.root / file).open("a") as code:
        code.write(text)


def test_it_is_short_and_has_its_files() -> None:
    assert len(README.splitlines()) <= 150
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link


def test_its_table_has_the_figures_of_make_bench() -> None:
    results = (ROOT / "benchmarks" / "results.md").read_text()
    measured = re.findall(r"^\| recipe (\w+): seconds to train, accuracy \|  \| ([\d.]+), ([\d.]+) \|", results, re.M)
    assert len(measured) == 5
    for recipe, seconds, accuracy in measured:
        cells = re.search(rf"^\| `{recipe}`.*$", README, re.M)
        assert cells
        _, _, _, accuracies, _, shown, _ = (cell.strip() for cell in cells[0].split("|"))
        assert (accuracies.split(",")[0], shown) == (accuracy, f"{float(seconds):.0f}")


def test_the_quick_start_shows_the_result_of_the_default_run() -> None:
    evaluation = json.loads((ROOT / "metrics" / "evaluate.json").read_text())
    score = json.loads((ROOT / "metrics" / "submit.json").read_text())["public_score"]
    interval = evaluation["accuracy_interval"]
    assert f"    accuracy        {evaluation['accuracy']:.4f}\n" in README
    assert f"    95 % interval   {interval['low']:.4f} to {interval['high']:.4f}\n" in README
    assert f"    errors          {evaluation['errors']} of {evaluation['images']} validation images\n" in README
    assert f"    public score    {score}\n" in README


@pytest.mark.slow
def test_the_experiment_prints_what_it_shows(reproduced: Project) -> None:
    commands = re.findall(r"^    \$ (.+)$", README, re.M)
    assert [command.split()[:2] for command in commands] == [["dvc", "exp"], ["dvc", "metrics"]]
    reproduced.run(*commands[0].split())
    shown = {tuple(line.split()[:3]) for line in README.splitlines() if re.match(r"    metrics/\S+\.json ", line)}
    # quick trains in float32: only its side of the table may differ on another machine
    assert {tuple(line.split()[:3]) for line in reproduced.run(*commands[1].split()).splitlines()[1:]} == shown


@pytest.mark.slow
def test_a_model_of_one_s_own(reproduced: Project) -> None:
    registry = "\n\nBY_NAME: dict[str, Callable[[int, int, Recipe], nn.Module]] = {\n"
    replace(reproduced, "src/models/networks.py", registry, f'{WIDE}{registry}    "wide": Wide,\n')
    replace(reproduced, "src/models/recipes.py", '"cnn5x5"]', '"cnn5x5", "wide"]')
    recipe = "model: wide, loss: cross_entropy, optimizer: adamw, lr: 0.003, batch_size: 64, epochs: 5, shuffle: true"
    replace(reproduced, "params.yaml", "\nrecipes:\n", f"\nrecipes:\n  wide: {{{recipe}}}\n")
    reproduced.set({"recipe": "wide"})
    reproduced.run("python", "-m", "src.check")
    assert "train@0" in reproduced.repro()
    assert json.loads((reproduced.root / "metrics" / "evaluate.json").read_text())["accuracy"] > 0.85


@pytest.mark.slow
def test_a_source_of_one_s_own(reproduced: Project) -> None:
    root = reproduced.root
    (root / "data" / "raw").rename(root.parent / "files")
    (root / "src" / "sources" / "half").mkdir()
    append(reproduced, "src/sources/half/source.py", HALF)
    replace(
        reproduced, "src/check.py", "\nfrom src.sources.kaggle",
        "\nfrom src.sources.half.source import Source as HalfSource\nfrom src.sources.kaggle",
    )  # fmt: skip
    replace(
        reproduced, "src/check.py", "    sample: SampleSource\n", "    sample: SampleSource\n    half: HalfSource\n"
    )
    settings = f"{{folder: {root.parent / 'files'}, rows: 500}}"
    replace(reproduced, "params.yaml", "\nsources:\n", f"\nsources:\n  half: {settings}\n")
    reproduced.set({"source": "half"})
    reproduced.run("python", "-m", "src.check")
    assert {"download", "train@0", "submit"} <= set(reproduced.repro())
    with (root / "data" / "predictions" / "submission.csv").open() as file:
        assert len(list(csv.reader(file))) == 501
