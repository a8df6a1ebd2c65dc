"""The cells of notebooks, in a real kernel: it exports variables to everything that a cell starts."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests import warm
from tests.competitions import digits
from tests.conftest import ROOT, Project

BACKEND = {"MPLBACKEND": "module://a_backend_that_is_not_installed"}
"""What a kernel exports where the project has an environment of its own."""

EXPORTED = BACKEND | {
    "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "PAGER": "cat", "GIT_PAGER": "cat", "TERM": "xterm-color",
    "PYDEVD_USE_FRAME_EVAL": "NO",
}  # fmt: skip
PLACES = ("input/competitions/digit-recognizer", "input/digit-recognizer")


def execute(folder: Path, *cells: str) -> list[str]:
    """Run the cells of a notebook in a folder, and return what each prints."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]


@pytest.mark.parametrize("module", ["stages.draw", "src.reporting.facts"])
def test_pictures_are_drawn_whatever_backend_is_exported(module: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, env=os.environ | BACKEND, check=True)


@pytest.mark.slow
def test_a_run_an_experiment_and_the_reports_in_cells(reproduced: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", warm.cold()["PATH"])
    reproduced.set({"recipes.linear.epochs": 3})
    _, *printed = execute(
        reproduced.root,
        f"import os; os.environ.update({EXPORTED})",
        "!dvc repro",
        "!dvc exp run --name shown -S submit.when=always",
        "!python -m src.reporting.report",
        "!python -m src.reporting.experiments.table",
    )
    repro, experiment, report, table = printed
    assert "Running stage 'train@4-0'" in repro and "Running stage 'draw'" in repro
    assert "Running stage 'submit'" in experiment and "shown" in table
    assert "report.html" in report and "recipes.linear.epochs" in (reproduced.root / "report.html").read_text("utf-8")
    assert not any(word in cell for cell in printed for word in ("Traceback", "ERROR"))


def cell() -> str:
    """Return the kernel's only cell."""
    [only] = json.loads((ROOT / "kernel/digit-recognizer.ipynb").read_text())["cells"]
    source = "".join(only["source"])
    assert source.startswith("%%bash\n")
    return source


@pytest.mark.slow
def test_the_kernel_runs_in_a_folder_laid_out_like_kaggle_s(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle = tmp_path / "kaggle"
    (kaggle / "working").mkdir(parents=True)
    (kaggle / PLACES[0]).mkdir(parents=True)
    for name, content in digits().files.items():
        (kaggle / PLACES[0] / name).write_bytes(content)
    replaced = {
        "/kaggle/": f"{kaggle}/",
        "https://github.com/YOU/digit-recognizer": str(finished.root),
        "recipe=cnn": "recipe=linear",
        "/tmp/": f"{tmp_path}/",
    }
    assert all(old in cell() for old in replaced)
    # in one pass: the new paths may hold the old ones
    source = re.sub("|".join(map(re.escape, replaced)), lambda found: replaced[found[0]], cell())
    # the packages of these tests stand for those of Kaggle's image
    monkeypatch.setenv("PYTHONPATH", next(path for path in sys.path if path.endswith("site-packages")))
    monkeypatch.setenv("PATH", warm.cold()["PATH"])
    execute(tmp_path, source)
    submission = (kaggle / "working/submission.csv").read_text().splitlines()
    assert submission[0] == "ImageId,Label"
    assert len(submission) == 101


def test_the_kernel_finds_the_input_in_both_places_or_says_that_it_is_missing(tmp_path: Path) -> None:
    beginning = cell().partition("\n")[2].partition("git clone")[0].replace("/kaggle/", f"{tmp_path}/")
    script = ["bash", "-c", f'{beginning}echo "$files"']
    printed = Project(tmp_path).run(*script, fails=True)
    assert "add the competition Digit Recognizer to the inputs of this notebook" in printed
    for place in PLACES:
        (tmp_path / place).mkdir(parents=True)
        assert Project(tmp_path).run(*script) == f"{tmp_path / place}\n"
        (tmp_path / place).rmdir()
