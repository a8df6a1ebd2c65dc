"""What the documents say can be done, done as they say: every command that they show is read from them and run."""

import dataclasses
import json
import platform
import re
import shlex
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import binomtest

from benchmarks.path import steps
from src.core.yaml_1_2 import load_yaml
from src.models import checkpoints
from src.models.recipes import Recipe
from tests import warm
from tests.competitions import digits
from tests.conftest import ROOT, Project, stages_run
from tests.kaggle_server import serve
from tests.test_other_competitions import check_run, letters
from tests.test_packages import ORDER
from tests.test_remotes import check_that_a_clone_has_all

README = (ROOT / "README.md").read_text(encoding="utf-8")
OTHERS = (
    "CONTRIBUTING.md", "docs/another-competition.md", "docs/competing.md", "docs/extending.md", "docs/path.md",
    "docs/sharing.md",
)  # fmt: skip
DOCUMENTS = "\n".join([README, *((ROOT / name).read_text(encoding="utf-8") for name in OTHERS)])
VALIDATION_IMAGES = 42_000  # of the full data: all that are labelled

PROGRAMS = {".", ".ci/run", "dvc", "export", "git", "gto", "kaggle", "make", "pytest", "python"}

RUN_BY_NO_TEST = {
    ".ci/run": "runs the tests themselves",
    "make test": "runs the tests themselves",
    "python -m venv .venv": "installs for minutes; on Windows, in the workflow",
    "python -m pip install -r requirements.txt": "installs for minutes; on Windows, in the workflow",
    "make bench": "needs the full data, and half an hour",
    "python -m benchmarks path": "needs the full data, and a quarter of an hour",
    "python -m benchmarks.wheels": "asks the package index",
    "pytest tests/test_folds.py": "runs the tests themselves",
    'pytest -k "excluded"': "runs the tests themselves",
    "dvc exp run -S source=kaggle -S sources.kaggle.competition=NAME": "test_kaggle_runs.py sets both in params.yaml",
    "dvc exp run -S device=cuda -S recipe=wide": "needs a GPU",
    "kaggle": "is the name of a source here",
}

ODD_NAME = """digits (1), it's "mine" = #2 {a} [b] $c `d`.zip"""

NARROW = '''

class Narrow(nn.Sequential):
    """A multilayer perceptron with one narrow hidden layer."""

    def __init__(self, side: int, classes: int, recipe: Recipe) -> None:
        super().__init__(nn.Flatten(), nn.Linear(side * side, 64), nn.ReLU(), nn.Linear(64, classes))
'''

HALF = '''"""The source `half`: the first rows of another source's files."""

from collections.abc import Sequence
from pathlib import Path

from src.sources.interface import Offline


class Source(Offline):
    """The first rows of the files in a folder."""

    folder: str
    rows: int
    label: str = ""

    def download(self, into: Path, names: Sequence[str]) -> None:
        """Copy the header and the first rows of each file."""
        for name in names:
            lines = (Path(self.folder) / name).read_text().splitlines(keepends=True)
            (into / name).write_text("".join(lines[: self.rows + 1]))

    def submit(self, csv: Path, message: str) -> None:
        """Say which file holds the predictions."""
        print(f"the predictions are in {csv}")
'''


HISTOGRAM = '''

def histogram(images: ImageSet) -> Picture:
    """Return a histogram of the mean brightness of the images."""
    figure = style.chart("Mean brightness of the images", 3.0)
    figure.subplots().hist(images.images.mean(axis=(1, 2)))
    return Picture("The mean brightness of the images.", figure)
'''


def replace(project: Project, file: str, old: str, new: str) -> None:
    path = project.root / file
    text = path.read_text()
    assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new))


def append(project: Project, file: str, text: str) -> None:
    path = project.root / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as code:
        code.write(text)


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 130


@pytest.mark.parametrize("document", ["README.md", *OTHERS, "docs/design.md", "docs/machines.md"])
def test_the_files_that_a_document_names_are_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / document).parent.joinpath(link).exists(), link
    for path in re.findall(r"`((?:src|stages|tests|docs|benchmarks|kernel|\.github|\.ci)/[^`*…]*)`", text):
        assert (ROOT / path).exists() or path.startswith("src/sources/half"), path


def test_the_design_has_every_package_in_the_order_of_the_imports() -> None:
    text = (ROOT / "docs/design.md").read_text(encoding="utf-8").partition("## How a stage is written")[0]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == ORDER[::-1]


def test_the_graph_is_that_of_dvc(finished: Project) -> None:
    drawn = finished.run("dvc", "dag", "--collapse-foreach-matrix", "--mermaid").strip()
    assert f"```mermaid\n{drawn}\n```" in README


def commands() -> list[str]:
    """Return all commands of the documents: indented lines, perhaps after a prompt, and what their text quotes."""
    text = re.sub(r"(?s:```.*?```)", "", DOCUMENTS)
    shown = re.findall(r"^    (?:\$ )?(.+)$", text, re.MULTILINE)
    quoted = re.findall(r"`([^`]+)`", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))
    return [" ".join(text.split()) for text in shown + quoted if text.split()[0] in PROGRAMS]


def follow(project: Project, *typed: str, replaced: Mapping[str, str] | None = None) -> str:
    """Run commands of the documents in one shell, with their placeholders `replaced`; return what they print."""
    lines = ["set -e"]
    for command in typed:
        assert command in commands(), f"no document shows {command!r}"
        for placeholder, value in (replaced or {}).items():
            quoted = value.replace("'", "\\'")  # in DVC's quotes, around which are the shell's
            quoted = re.sub(r'([\\"$`])', r"\\\1", quoted)
            command = command.replace(f"'{placeholder}'", f"'{quoted}'").replace(placeholder, shlex.quote(value))
        lines.append(command)
    return project.run("bash", "-c", "\n".join(lines))


def install(project: Project) -> None:
    """Make the environment of the tests the project's `.venv`, up to date as make sees it, and its processes warm."""
    environment = project.root / ".venv"
    (environment / "bin").mkdir(parents=True)
    programs = {path.name: path for path in (Path(sys.prefix) / "bin").iterdir()}
    warm_ones = {name: shutil.which(name, path=warm.environment({})["PATH"]) for name in ("python", "dvc")}
    for name, path in (programs | warm_ones).items():
        (environment / "bin" / name).symlink_to(path)
    (environment / "runtime").write_text(f"{platform.python_version()} {sys.prefix}\n")
    for stamp in ("demo", "developers"):
        (environment / stamp).touch()


def indented_after(text: str) -> str:
    """Return the indented block that follows a line of README.md which ends with `text`, without the indentation."""
    found = re.search(rf"{re.escape(text)}\n\n((?:    .*\n)+)", README)
    assert found, f"README.md has no block after {text!r}"
    return re.sub(r"^    ", "", found[1], flags=re.MULTILINE)


def test_its_table_has_the_figures_of_the_benchmarks() -> None:
    benchmarks = ROOT / "benchmarks"
    measured = re.findall(
        r"^\| (\w+), five folds: .*? \|  \| (\d+), ([\d.]+) \(([\d.]+) to ([\d.]+)\), (\d+) \|",
        (benchmarks / "results.md").read_text(encoding="utf-8"), re.MULTILINE,
    )  # fmt: skip
    figures = {recipe: (accuracy, low, high, seconds) for recipe, seconds, accuracy, low, high, _ in measured}
    for recipe, _, _, low, high, errors in measured:
        correct = VALIDATION_IMAGES - int(errors)
        interval = binomtest(correct, VALIDATION_IMAGES).proportion_ci(confidence_level=0.95, method="wilson")
        assert (low, high) == (f"{interval.low:.4f}", f"{interval.high:.4f}"), recipe
    rows = re.findall(r"^\| `(\w+)`.* \| .* \| ([\d.]+) \(([\d.]+) to ([\d.]+)\) \| (\d+) \|$", README, re.MULTILINE)
    assert len(rows) == 5
    assert {recipe: tuple(shown) for recipe, *shown in rows} == figures


def test_the_quick_start_shows_the_result_of_the_default_run() -> None:
    evaluation = json.loads((ROOT / "metrics" / "evaluate.json").read_text())
    score = json.loads((ROOT / "metrics" / "submit.json").read_text())["public_score"]
    assert f"    accuracy        {evaluation['accuracy']:.4f}\n" in README
    assert f"    95 % interval   {evaluation['ci_low']:.4f} to {evaluation['ci_high']:.4f}\n" in README
    assert f"    errors          {evaluation['errors']} of {evaluation['images']} validation images\n" in README
    assert f"    public score    {score}\n" in README
    path = (ROOT / "docs/path.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| 4 \| [^|]+ \| {evaluation['accuracy']:.4f} \(", path, re.MULTILINE), "the default recipe"


def test_every_command_is_run_by_a_test_or_named_with_the_reason() -> None:
    here = Path(__file__).read_text(encoding="utf-8").partition("RUN_BY_NO_TEST")[2].partition("}")[2]
    text = (here + (ROOT / "tests/test_forks.py").read_text(encoding="utf-8")).replace('\\"', '"')
    for command in commands():
        followed = any(f"{quote}{command}{quote}" in text for quote in "'\"")
        assert followed != (command in RUN_BY_NO_TEST), command
    assert set(RUN_BY_NO_TEST) <= set(commands())


@pytest.mark.slow
def test_the_quick_start(finished: Project, tmp_path: Path) -> None:
    there = Project(tmp_path)
    follow(there, "git clone URL digit-recognizer && cd digit-recognizer", replaced={"URL": str(finished.root)})
    clone = Project(tmp_path / "digit-recognizer")
    install(clone)
    printed = follow(
        clone,
        "export PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu UV_TORCH_BACKEND=cpu",
        "make repro",
    )
    assert indented_after("The run ends with") in printed
    assert (clone.root / "report.html").exists()
    assert clone.changed() == ""
    assert stages_run(follow(clone, ". .venv/bin/activate", "make repro")) == []
    assert "make experiments" in follow(clone, "make help")
    assert stages_run(follow(clone, "make repro JOBS=4", "dvc repro", "python -m src.reporting.report")) == []


@pytest.mark.slow
def test_the_zip_from_the_browser(reproduced: Project, tmp_path: Path) -> None:
    path = tmp_path / ODD_NAME
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in digits().files.items():
            archive.writestr(name, content)
    printed = follow(
        reproduced,
        "dvc exp run -S source=local -S \"sources.local.path='/path/to/files'\"",
        replaced={"/path/to/files": str(path)},
    )
    assert "upload data/predictions/submission.csv" in printed
    assert len((reproduced.root / "data/predictions/submission.csv").read_text().splitlines()) == 101
    path.rename(reproduced.root / "data/by-hand/digit-recognizer.zip")
    reproduced.run("git", "checkout", ".")
    assert "upload data/predictions/submission.csv" in follow(reproduced, "dvc exp run -S source=local")
    assert "by-hand" not in reproduced.changed()


@pytest.mark.slow
def test_a_kaggle_token(reproduced: Project, tmp_path: Path) -> None:
    with serve(dataclasses.replace(digits(), name="digit-recognizer")) as kaggle:
        reproduced.environment = kaggle.environment | {"HOME": str(tmp_path), "XDG_STATE_HOME": ""}
        reproduced.run("git", "config", "--local", "safe.directory", "*")
        follow(reproduced, "dvc exp run -S source=kaggle")
        score = json.loads((reproduced.root / "metrics/submit.json").read_text())["public_score"]
        assert [sent.score for sent in kaggle.submissions] == [score]
        follow(reproduced, "dvc repro --force download")
        assert kaggle.requests.count("DownloadDataFiles") == 2


@pytest.mark.slow
def test_several_machines_and_another_project(reproduced: Project, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch", "main", tmp_path / "origin"], check=True)
    reproduced.run("git", "remote", "add", "origin", str(tmp_path / "origin"))
    follow(
        reproduced,
        "dvc remote add --default storage REMOTE",
        "dvc push",
        "dvc install",
        replaced={"REMOTE": str(tmp_path / "storage")},
    )
    reproduced.commit()
    reproduced.run("git", "push", "--quiet", "--set-upstream", "origin", "main")
    follow(reproduced, "git push", "gto register digit-recognizer", "git push --tags")

    subprocess.run(["git", "clone", "--quiet", "--branch", "main", "origin", "clone"], cwd=tmp_path, check=True)
    clone = Project(tmp_path / "clone")
    follow(clone, "dvc pull")
    check_that_a_clone_has_all(reproduced, clone)
    other = Project(tmp_path / "other")
    other.root.mkdir()
    follow(other, "dvc artifacts get URL digit-recognizer", replaced={"URL": str(tmp_path / "origin")})
    model = "models/4-0.safetensors"
    assert (other.root / model).read_bytes() == (reproduced.root / model).read_bytes()


@pytest.mark.slow
def test_the_experiment_prints_what_it_shows(reproduced: Project, tmp_path: Path) -> None:
    install(reproduced)
    reproduced.environment = {"COLUMNS": "120", "HOME": str(tmp_path)}
    for key in ("user.name", "user.email"):
        reproduced.run("git", "config", "--unset", key)
    assert "note: `dvc exp run` needs your name in git" in follow(reproduced, "python -m src.check")
    mail = {"MAIL": "somebody@localhost"}
    follow(reproduced, "git config --global user.name NAME", "git config --global user.email MAIL", replaced=mail)
    assert "note:" not in reproduced.run("python", "-m", "src.check")
    follow(reproduced, "dvc exp run -S recipe=mlp")
    shown = {tuple(line.split()[:3]) for line in README.splitlines() if re.match(r"    metrics/\S+\.json ", line)}
    # mlp trains in float32 or bfloat16: only its side of the table may differ on another machine
    printed = follow(reproduced, "dvc metrics diff")
    assert {tuple(line.split()[:3]) for line in printed.splitlines()[1:]} == shown
    follow(reproduced, "make report")
    assert "McNemar" in (reproduced.root / "report.html").read_text(encoding="utf-8")
    assert "mlp" in follow(reproduced, "make experiments")
    assert "index.html" in follow(reproduced, "dvc plots show")
    follow(reproduced, 'git add --all && git commit --message "Train mlp"')
    assert reproduced.changed() == ""
    assert reproduced.repro() == []


@pytest.mark.slow
def test_other_experiments_one_that_fails_and_the_way_back(reproduced: Project) -> None:
    """Git overlooks that metrics of the same size were written within a second: DVC writes the old, then the new."""
    model = (reproduced.root / "models/4-0.safetensors").read_bytes()
    scores = reproduced.metrics("evaluate")
    ran = stages_run(follow(reproduced, "dvc exp run -S 'seeds=[0,1,2]'"))
    assert {"train@4-1", "train@4-2"} <= {*ran} and "train@4-0" not in ran
    follow(reproduced, "git checkout .", "dvc checkout")
    assert reproduced.metrics("evaluate") == scores
    ran = stages_run(follow(reproduced, "dvc exp run -S recipe=quick -S 'folds=[0,1,2,3,4]'"))
    assert len([name for name in ran if name.startswith("train@")]) == 5
    follow(reproduced, "git checkout .", "dvc checkout")
    reproduced.run("dvc", "exp", "run", "-S", "recipe=quick", "evaluate")
    reproduced.run("dvc", "exp", "run", "-S", "recipe=none", fails=True)
    assert reproduced.metrics("evaluate") != scores
    follow(reproduced, "git read-tree HEAD", "git checkout .", "dvc checkout")
    assert reproduced.metrics("evaluate") == scores
    assert reproduced.changed() == ""
    assert (reproduced.root / "models/4-0.safetensors").read_bytes() == model
    assert reproduced.repro() == []


@pytest.mark.slow
def test_the_path_from_the_notebook_to_five_folds(reproduced: Project) -> None:
    """All its steps with fewer epochs and images than on the page: here it counts what each of them trains."""
    reproduced.set({f"recipes.{name}.epochs": 1 for name in ("notebook", "linear", "mlp", "cnn")})
    raw, few = reproduced.root / "data/raw", reproduced.root / "data/by-hand"
    for name, rows in (("train.csv", 500), ("test.csv", 100), ("sample_submission.csv", 100)):
        (few / name).write_text("".join((raw / name).read_text().splitlines(keepends=True)[: rows + 1]))
    reproduced.set({"source": "local"})
    reproduced.run("dvc", "freeze", "audit", "draw")
    recipes = load_yaml((reproduced.root / "params.yaml").read_text())["recipes"]
    cross_entropy = recipes["notebook"] | {"loss": "cross_entropy"}
    path = {
        "dvc exp run -S recipe=notebook": recipes["notebook"],
        "dvc exp run -S recipes.notebook.loss=cross_entropy": cross_entropy,
        "dvc exp run -S recipes.notebook.initial_range=0.01": cross_entropy | {"initial_range": 0.01},
        "dvc exp run -S recipe=linear": recipes["linear"],
        "dvc exp run -S recipe=mlp -S '~recipes.mlp.augmentation'": recipes["mlp"] | {"augmentation": None},
        "dvc exp run -S '+recipes.mlp.augmentation={rotation:4.0,zoom:0.1,shear:0.05,shift:1.0}'": recipes["mlp"],
        "dvc exp run -S recipe=quick": recipes["quick"],
        "dvc exp run -S recipe=cnn": recipes["cnn"],
        "dvc exp run -S 'folds=[0,1,2,3,4]'": recipes["cnn"],
    }
    assert recipes["notebook"]["loss"] != cross_entropy["loss"]
    assert [command for _, command in steps()] == [*path]
    for command, recipe in path.items():
        follow(reproduced, command)
        folds = [*range(5)] if "folds" in command else [4]
        members = [checkpoints.read(file) for file in sorted((reproduced.root / "models").iterdir())]
        assert [(member.fold, member.recipe) for member in members] == [(fold, Recipe(**recipe)) for fold in folds]


@pytest.mark.slow
def test_a_picture_of_a_digit_a_card_and_a_page(reproduced: Project) -> None:
    install(reproduced)
    image = np.load(reproduced.root / "data/normalized/test/images.npy")[0]
    Image.fromarray(np.round(255 * image).astype(np.uint8)).save(reproduced.root / "digit.png")
    label = str(pd.read_csv(reproduced.root / "data/predictions/submission.csv")["Label"][0])
    assert follow(reproduced, "python -m src.demo.label digit.png").split()[:2] == ["digit.png", label]
    (reproduced.root / "digit.png").unlink()
    follow(reproduced, "make card", "make demo")
    assert reproduced.changed() == ""  # the card in git is the one that the command writes, and the page is ignored
    assert (reproduced.root / "demo.html").exists()


@pytest.mark.slow
def test_a_model_a_picture_a_metric_and_a_source_of_one_s_own(reproduced: Project) -> None:
    root = reproduced.root
    registry = "\n\nBY_NAME: dict[str, Callable[[int, int, Recipe], nn.Module]] = {\n"
    entry = '"narrow": Narrow'
    replace(reproduced, "src/models/networks.py", registry, f"{NARROW}{registry}    {entry},\n")
    replace(reproduced, "src/models/recipes.py", '"cnn"]', '"cnn", "narrow"]')
    recipe = "model: narrow, loss: cross_entropy, optimizer: adamw, lr: 0.003, batch_size: 64, epochs: 5, shuffle: true"
    replace(reproduced, "params.yaml", "\nrecipes:\n", f"\nrecipes:\n  narrow: {{{recipe}}}\n")
    metric = '| {"worst_recall": float(self.of_classes()["recall"].min())}'
    returned = "np.trace(self._confusion)), self._log_loss)\n"
    replace(reproduced, "src/evaluation/scores.py", returned, f"{returned[:-1]} {metric}\n")
    picture = '"histogram": datasets.histogram(labelled)'
    append(reproduced, "src/reporting/pictures/datasets.py", HISTOGRAM)
    replace(reproduced, "stages/draw.py", '            "digits": ', f'            {picture},\n            "digits": ')
    assert {"train@4-0", "evaluate", "draw"} <= {*stages_run(follow(reproduced, "dvc exp run -S recipe=narrow"))}
    assert reproduced.metrics("evaluate")["accuracy"] > 0.85
    assert "worst_recall" in reproduced.run("dvc", "metrics", "diff")
    assert (root / "plots/pictures/histogram.png").exists()

    (root / "data" / "raw").rename(root.parent / "files")
    append(reproduced, "src/sources/half/source.py", HALF)
    kaggle = "\nfrom src.sources.kaggle"
    half = "\nfrom src.sources.half.source import Source as HalfSource"
    replace(reproduced, "src/check.py", kaggle, f"{half}{kaggle}")
    sample = "    sample: SampleSource\n"
    replace(reproduced, "src/check.py", sample, f"{sample}    half: HalfSource\n")
    settings = "half: {folder: …, rows: 500}"
    filled = settings.replace("…", str(root.parent / "files"))
    replace(reproduced, "params.yaml", "\nsources:\n", f"\nsources:\n  {filled}\n")
    reproduced.set({"source": "half"})
    reproduced.run("python", "-m", "src.check")
    assert {"download@files", "train@4-0", "submit"} <= set(reproduced.repro())
    assert len((root / "data/predictions/submission.csv").read_text().splitlines()) == 501
    for shown in (entry, metric, picture, "half: HalfSource", settings):
        assert f"`{shown}`" in DOCUMENTS


@pytest.mark.slow
def test_a_sweep_and_rows_that_are_left_out(reproduced: Project) -> None:
    install(reproduced)
    follow(reproduced, "dvc exp run -S 'split.exclude=[3960,3977]'")
    assert reproduced.metrics("split") == {"images": 799, "excluded": 2}
    assert reproduced.metrics("evaluate")["images"] == 799
    predicted = pd.read_csv(reproduced.root / "data/predictions/validation.csv")
    assert not {3960, 3977} & {*predicted["row"]}
    follow(reproduced, "git checkout .", "dvc checkout")
    queued = follow(reproduced, "dvc exp run --queue -S 'recipe=choice(notebook,linear,mlp,quick,cnn)'")
    assert queued.count("Queued experiment") == 5  # to train them all takes two minutes
    reproduced.run("dvc", "queue", "remove", "--queued")
    queued = follow(reproduced, "dvc exp run --queue -S recipe=quick -S 'recipes.quick.lr=choice(0.01,0.02,0.03)'")
    first, *others = re.findall(r"Queued experiment '(.*)' for", queued)
    assert len(others) == 2
    reproduced.run("dvc", "queue", "remove", *others)  # as above
    follow(reproduced, "dvc queue start")
    while re.search("Queued|Running", reproduced.run("dvc", "queue", "status")):
        time.sleep(2)
    listed = [line for line in follow(reproduced, "make experiments").splitlines()[1:] if "quick" in line]
    assert len(listed) == 1 and first in listed[0] and "better" in listed[0], listed
    assert "0.891" in follow(reproduced, "make submissions")


@pytest.mark.slow
def test_other_competitions(reproduced: Project, tmp_path: Path) -> None:
    [script] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/another-competition.md").read_text(), re.DOTALL)
    reproduced.run("python", "-c", script)
    printed = follow(reproduced, "dvc exp run -S source=local -S sources.local.path=digits-8x8")
    assert "pixels run from 0 to 16" in printed
    assert f"{reproduced.metrics('evaluate')['accuracy']:.3f}" == "0.947"
    assert f"{pd.read_csv(reproduced.root / 'data/audit/adversarial.csv')['auc'][0]:.2f}" == "0.70"
    images = letters()
    answers = images.write(tmp_path / "letters")
    printed = follow(
        reproduced,
        "dvc exp run -S source=local -S \"sources.local.path='/path/to/letters'\"",
        replaced={"/path/to/letters": str(tmp_path / "letters")},
    )
    assert "pixels run" not in printed
    assert f"{reproduced.metrics('evaluate')['accuracy']:.3f}" == "0.969"
    check_run(reproduced, images, tmp_path / "letters", answers)
    rows = pd.read_csv(reproduced.root / "digits-8x8/test.csv")
    pixels = np.kron(rows.to_numpy().reshape(-1, 8, 8), np.ones((2, 2), dtype=int)).reshape(len(rows), -1)
    rows = pd.DataFrame(pixels, columns=[f"pixel{number}" for number in range(256)])
    with zipfile.ZipFile(tmp_path / "Kannada-MNIST.zip", "w") as archive:
        archive.writestr("train.csv", rows.assign(label=np.arange(len(rows)) % 10).to_csv(index=False))
        archive.writestr("test.csv", rows.reset_index(names="id").to_csv(index=False))
        archive.writestr("sample_submission.csv", pd.DataFrame({"id": rows.index, "label": 0}).to_csv(index=False))
        archive.writestr("Dig-MNIST.csv", rows.to_csv(index=False))
    reproduced.set({"recipes.cnn.epochs": 1})
    follow(
        reproduced,
        "dvc exp run -S source=local -S \"sources.local.path='/path/to/Kannada-MNIST.zip'\" -S recipe=cnn",
        replaced={"/path/to/Kannada-MNIST.zip": str(tmp_path / "Kannada-MNIST.zip")},
    )
    submission = pd.read_csv(reproduced.root / "data/predictions/submission.csv")
    assert [*submission.columns] == ["id", "label"] and submission["id"].tolist() == [*range(len(rows))]
