"""Temporary copies of this project in which the real DVC runs."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from benchmarks.project import set_params
from src.reporting import git
from tests import warm

ROOT = Path(__file__).parent.parent

# in a hook the tests would commit to the repository of the person who runs them
for variable in git.ANOTHER_REPOSITORY:
    os.environ.pop(variable, None)

STAGES = [
    "download@files", "split", "audit", "normalize", "train@4-0", "ensemble", "predict", "evaluate", "submit",
    "draw",
]  # fmt: skip
"""Those of params.yaml as it is in git."""

# One thread for torch in each of pytest's processes, before it is loaded: more would wait for each other by spinning
# while the other processes need the cores, and a training of 4 s takes a minute.
os.environ["OMP_NUM_THREADS"] = "1"


@dataclass
class Project:
    """A copy of the project, a git repository of its own.

    Attributes:
        root: its folder.
        environment: variables added to those of this process, for all commands run in it.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, fails: bool = False, **environment: str) -> str:
        """Run a command in the project and return what it printed, stdout and stderr together."""
        variables = warm.environment(self.environment | environment)
        done = subprocess.run(
            command, cwd=self.root, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert (done.returncode != 0) == fails, f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def repro(self, *arguments: str) -> list[str]:
        """Run `dvc repro` and return the names of the stages that ran, in their order."""
        return stages_run(self.run("dvc", "repro", *arguments))

    def stages(self) -> dict[str, Any]:
        """Return the stages as DVC sees them, by name: the templates of dvc.yaml are filled in."""
        from dvc.repo import Repo

        with Repo(self.root) as repo:
            return {stage.name: stage for stage in repo.index.stages}

    def metrics(self, name: str) -> dict[str, Any]:
        """Return what a stage wrote to `metrics/`."""
        content: dict[str, Any] = json.loads((self.root / "metrics" / f"{name}.json").read_text())
        return content

    def set(self, values: Mapping[str, object]) -> None:
        """Change params.yaml: new values by dotted key."""
        set_params(self.root, values)

    def commit(self) -> None:
        """Commit all changes."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", "a change")

    def changed(self) -> str:
        """Return what `git status --short` prints."""
        return self.run("git", "status", "--short")


def stages_run(output: str) -> list[str]:
    """Return the stages that ran, from what `dvc repro` printed."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


def make_project(root: Path) -> Project:
    """Copy the files that git tracks, or would track, to `root` and commit them there."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    project = Project(root)
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.run("git", "config", "user.name", "A Tester")
    project.run("git", "config", "user.email", "tester@localhost")
    project.commit()
    return project


def slow(*cases: tuple[object, ...]) -> list[Any]:
    """Leave these cases of a parametrized test to the slow tests."""
    return [pytest.param(*case, marks=pytest.mark.slow) for case in cases]


def copy_project(project: Project, root: Path) -> Project:
    """Copy a project with its git repository and DVC's cache to `root`."""
    shutil.copytree(project.root, root, symlinks=True)
    return Project(root)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests: one at the end would run alone, while the other processes have nothing to do."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session", autouse=True)
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return the folder that all processes of these tests share."""
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":  # pytest-xdist gives each process a folder in the one of the session
        folder = folder.parent
    warm.place = folder / "warm"
    return folder


@pytest.fixture(scope="session")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("fresh") / "project")


@pytest.fixture
def project(_fresh: Project, tmp_path: Path) -> Project:
    """Return a copy of the project in which nothing has run, to be changed."""
    return copy_project(_fresh, tmp_path / "project")


@pytest.fixture(scope="session")
def finished(shared: Path) -> Project:
    """Return the one project in which `dvc repro` has run on the sample and its results are committed.

    All tests of all processes share it: they may read it and run what leaves it as it is.
    """
    project = Project(shared / "finished" / "project")
    with FileLock(shared / "finished.lock"):
        if not project.root.exists():
            incomplete = make_project(shared / "incomplete" / "project")
            printed, changed, second = incomplete.run("dvc", "repro"), incomplete.changed(), incomplete.repro()
            (shared / "first-run.json").write_text(json.dumps([stages_run(printed), changed, second]))
            (shared / "first-run.txt").write_text(printed)
            incomplete.run("python", "-m", "src.reporting.report")
            incomplete.commit()
            incomplete.root.parent.rename(project.root.parent)
    return project


@pytest.fixture(scope="session")
def first_run(finished: Project, shared: Path) -> tuple[list[str], str, list[str]]:
    """Return the stages of the finished project's first run, what git then reported, and the stages of a second run."""
    first, changed, second = json.loads((shared / "first-run.json").read_text())
    return first, changed, second


@pytest.fixture(scope="session")
def finished_stages(finished: Project) -> dict[str, Any]:
    """Return the stages of the finished project, which take DVC half a second."""
    return finished.stages()


@pytest.fixture
def reproduced(finished: Project, tmp_path: Path) -> Project:
    """Return a copy of the finished project, to be changed."""
    return copy_project(finished, tmp_path / "project")
