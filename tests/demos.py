"""Projects in which the page to draw on was made."""

import shutil

from filelock import FileLock

from src.demo import build
from tests.conftest import Project

SETTINGS: dict[str, dict[str, object]] = {
    "linear": {},
    # of two folds and two seeds, with shifts of the image besides the recipe's preprocessing
    "ensemble": {"recipe": "quick", "folds": [3, 4], "seeds": [0, 1], "recipes.quick.test_time_shift": 1},
}


def with_demo(finished: Project, name: str) -> Project:
    """Return the one project in which the settings of that name were run on the sample, committed, and shown.

    All tests of all processes share it: they may read it and run what leaves it as it is.
    """
    folder = finished.root.parent.parent / "demos"
    folder.mkdir(exist_ok=True)
    project = Project(folder / name / "project")
    with FileLock(folder / f"{name}.lock"):
        if not project.root.exists():
            incomplete = Project(folder / f"incomplete-{name}" / "project")
            shutil.copytree(finished.root, incomplete.root, symlinks=True)
            if SETTINGS[name]:
                incomplete.set(SETTINGS[name])
                incomplete.repro()
                incomplete.commit()
            incomplete.run("python", "-m", "src.demo.build")
            incomplete.root.parent.rename(project.root.parent)
    return project


def page_url(finished: Project, name: str = "linear") -> str:
    """Return the URL of the page of that project."""
    return (with_demo(finished, name).root / build.PAGE).as_uri()
