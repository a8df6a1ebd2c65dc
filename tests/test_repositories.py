"""Which repository is meant: that of the current folder, whatever git exports, and also where the project is a part."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from src.reporting import git
from tests import warm
from tests.conftest import ROOT, Project, copy_project, make_project

FIXTURES = """
import sys
from pathlib import Path
from tests import warm
from tests.conftest import make_project
warm.start = lambda: None
project = make_project(Path(sys.argv[1]))
(project.root / "a file").touch()
project.commit()
print(project.changed())
"""


@pytest.fixture
def decoy(tmp_path: Path) -> Project:
    """Return a repository that is not to be touched."""
    root = tmp_path / "decoy"
    root.mkdir()
    project = Project(root)
    project.run("git", "init", "--quiet")
    for key in ("user.name", "user.email"):
        project.run("git", "config", key, "decoy")
    (root / "file").write_text("a file\n")
    project.commit()
    return project


def hook_s(decoy: Project) -> dict[str, str]:
    """Return what git exports in a hook of a repository."""
    folder = decoy.root / ".git"
    return {"GIT_DIR": str(folder), "GIT_WORK_TREE": str(decoy.root), "GIT_INDEX_FILE": str(folder / "index"),
            "GIT_PREFIX": ""}  # fmt: skip


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_variables_that_name_another_repository_are_known() -> None:
    local = subprocess.run(["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True).stdout.split()
    settings = {name for name in local if name.startswith(("GIT_CONFIG", "GIT_NO_REPLACE", "GIT_REPLACE"))}
    assert {*local} - settings <= {*git.ANOTHER_REPOSITORY}
    makefile = " ".join(re.findall(r"^unexport (GIT_.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {*makefile.split()} == {*git.ANOTHER_REPOSITORY}


def test_the_tests_touch_no_repository_but_theirs(decoy: Project, tmp_path: Path) -> None:
    before = content(decoy.root)
    subprocess.run(
        [sys.executable, "-c", FIXTURES, tmp_path / "project"],
        cwd=ROOT, env=os.environ | hook_s(decoy) | {"PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip
    assert (tmp_path / "project/.git").is_dir()
    assert content(decoy.root) == before


def test_make_and_the_reports_work_on_the_project_in_a_hook(finished: Project, decoy: Project, tmp_path: Path) -> None:
    before, project = content(decoy.root), copy_project(finished, tmp_path / "project")
    shown = project.run("make", "--no-print-directory", "--eval", "shown: ; @env", "shown", **hook_s(decoy))
    assert not {line.partition("=")[0] for line in shown.splitlines()} & {*git.ANOTHER_REPOSITORY}
    project.set({"recipes.linear.epochs": 41})
    environment = warm.cold() | hook_s(decoy)
    for module in ("src.reporting.report", "src.reporting.experiments.table"):
        subprocess.run([sys.executable, "-m", module], cwd=project.root, env=environment, check=True)
    page = (project.root / "report.html").read_text(encoding="utf-8")
    assert project.run("git", "rev-parse", "HEAD")[:8] in page and "recipes.linear.epochs" in page
    assert content(decoy.root) == before


@pytest.mark.slow
def test_a_folder_of_a_larger_repository_is_like_a_repository_of_its_own(finished: Project, tmp_path: Path) -> None:
    larger = make_project(tmp_path / "larger")
    folder = Project(larger.root / "kaggle/digits")
    shutil.copytree(finished.root, folder.root, ignore=shutil.ignore_patterns(".git"))
    larger.commit()
    assert folder.repro() == [] and folder.changed() == ""

    def results(project: Project) -> tuple[list[list[str]], list[str], str, str, str]:
        project.run("dvc", "exp", "run", "--temp", "--name", "apart", "-S", "recipes.linear.epochs=2", "evaluate")
        project.run("dvc", "exp", "run", "--name", "here", "-S", "recipes.linear.epochs=3")
        for module in ("report", "model_card"):
            project.run("python", "-m", f"src.reporting.{module}")
        table = [line.split() for line in project.run("python", "-m", "src.reporting.experiments.table").splitlines()]
        page = (project.root / "report.html").read_text(encoding="utf-8")
        [verdict] = re.findall(r'class="verdict">(.*?)</p>', page, re.DOTALL)
        card = (project.root / "docs/model-card.md").read_text(encoding="utf-8")
        changed = project.run("git", "status", "--short", "--", ".").replace("kaggle/digits/", "")
        return table, re.findall(r"<code>(\S+)</code></th>", page), verdict, card, changed

    found, alone = results(folder), copy_project(finished, tmp_path / "alone")
    alone.run("dvc", "cache", "dir", "--local", str(folder.root / ".dvc/cache"))  # which has the trained networks now
    expected = results(alone)
    assert "McNemar" in expected[2] and any("worse" in row or "undecided" in row for row in expected[0])
    assert found[:-1] == expected[:-1]
    # what is restored is not submitted
    assert found[-1].replace(" M metrics/submissions.csv\n", "") == expected[-1] != found[-1]
