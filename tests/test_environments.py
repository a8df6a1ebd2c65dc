"""Shells, folders and machines as people have them: what `make` ignores, prints or recreates."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project

WHEEL = "nothing-1.0-py3-none-any.whl"
FILES = {
    "nothing.py": "",
    "nothing-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n",
    "nothing-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
ANOTHER = f"""#!/bin/sh
# a Python that says that it has another version
shift $(($# - 1))
exec {sys.executable} -c "import sys; sys.version_info = (3, VERSION, 1); exec(sys.argv[1])" "$1"
"""


@pytest.fixture
def small(tmp_path: Path) -> Project:
    """Return a folder with the Makefile, in which one wheel is all that is installed, without a network."""
    root = tmp_path / "small"
    root.mkdir()
    shutil.copy(ROOT / "Makefile", root)
    with zipfile.ZipFile(root / WHEEL, "w") as wheel:
        record = ""
        for name, content in FILES.items():
            wheel.writestr(name, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip("=")
            record += f"{name},sha256={digest},{len(content)}\n"
        wheel.writestr("nothing-1.0.dist-info/RECORD", f"{record}nothing-1.0.dist-info/RECORD,,\n")
    (root / "requirements.txt").write_text(f"--no-index\n./{WHEEL}\n")
    return Project(root)


def make(project: Project, *arguments: str, fails: bool = False, **environment: str) -> str:
    return project.run("make", "--no-print-directory", "UV=", *arguments, fails=fails, **environment)


def installed(project: Project) -> str:
    return project.run(".venv/bin/python", "-c", "import nothing; print(nothing.__file__)").strip()


@pytest.mark.slow
def test_what_a_shell_holds_for_other_projects_is_set_aside_and_an_environment_of_another_folder_or_python_recreated(
    small: Project, tmp_path: Path
) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nuser = true\n")
    hostile = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_USER": "1", "PIP_TARGET": str(tmp_path / "elsewhere"),
        "PIP_PREFIX": str(tmp_path / "elsewhere"), "PYTHONHOME": "/nowhere", "PYTHONSAFEPATH": "1",
        "PYTHONWARNINGS": "error", "PYTHONPATH": str(tmp_path),
    }  # fmt: skip
    assert "recreating it" not in make(small, ".venv/runtime", **hostile)
    assert installed(small).startswith(str(small.root / ".venv"))
    assert "up to date" in make(small, ".venv/runtime")
    shown = make(small, "--eval", "shown: ; @env", "shown", **hostile)
    assert not {"PYTHONHOME", "PYTHONSAFEPATH", "PYTHONWARNINGS", "PYTHONPATH"} & {
        line.partition("=")[0] for line in shown.splitlines()
    }
    assert f"PIP_CONFIG_FILE={hostile['PIP_CONFIG_FILE']}" in shown  # an index or a proxy may stand there

    small.root = small.root.rename(small.root.with_name("moved"))
    assert "recreating it" in make(small, ".venv/runtime")
    assert installed(small).startswith(str(small.root / ".venv"))
    assert "up to date" in make(small, ".venv/runtime")
    (small.root / ".venv/runtime").write_text("3.1.4 /of another Python\n")
    assert "recreating it" in make(small, "--dry-run", ".venv/runtime")
    (small.root / ".venv/runtime").unlink()  # as after an installation that was stopped
    assert "not complete" in make(small, "--dry-run", ".venv/runtime")


@pytest.mark.parametrize("minor", [10, 15])
def test_a_python_that_is_too_old_or_too_new_is_one_line(small: Project, minor: int) -> None:
    other = small.root / f"python3.{minor}"
    other.write_text(ANOTHER.replace("VERSION", str(minor)))
    other.chmod(0o755)
    told, _ = make(small, ".venv/runtime", f"PYTHON={other}", fails=True).splitlines()
    assert told == f"error: this needs Python 3.11 to 3.14, and {other} is 3.{minor}; make repro PYTHON=python3.12"
    assert not (small.root / ".venv").exists()


def test_a_python_that_is_missing_is_one_line(small: Project) -> None:
    told, _ = make(small, ".venv/runtime", "PYTHON=python9", fails=True).splitlines()
    assert told == "error: python9 does not start; make repro PYTHON=python3.12"
    assert not (small.root / ".venv").exists()


def test_a_copy_without_git_is_one_line_before_anything_else(small: Project) -> None:
    told, _ = make(small, "repro", fails=True).splitlines()
    assert told.startswith("error: this is no git repository with a commit; clone the project, or type: git init &&")
    subprocess.run(["git", "init", "--quiet"], cwd=small.root, check=True)
    assert "with a commit" in make(small, "repro", fails=True)
    assert not (small.root / ".venv").exists()


@pytest.mark.skipif(
    not (hasattr(os, "getuid") and os.getuid() == 0), reason="only root can become a user without a name"
)
def test_a_user_without_a_name_or_a_home(small: Project) -> None:
    for path in (small.root, *small.root.parents[:-1]):
        if path.is_relative_to(Path("/tmp")) and path != Path("/tmp"):
            path.chmod(0o755)
    shown = small.run(
        "setpriv", "--reuid=54321", "--clear-groups", "make", "--eval", "shown: ; @env", "shown",
        HOME="/nowhere", LOGNAME="",
    )  # fmt: skip
    assert "LOGNAME=somebody\n" in shown
    assert f"MPLCONFIGDIR={small.root}/.matplotlib.tmp\n" in shown


def test_a_clone_has_the_same_bytes_whatever_git_does_with_line_ends(finished: Project, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    finished.run("git", "clone", "--quiet", "-c", "core.autocrlf=true", ".", str(clone))
    names = Project(clone).run("git", "ls-files", "-z").split("\0")
    for name in filter(None, names):
        assert (clone / name).read_bytes() == (finished.root / name).read_bytes(), name
    assert Project(clone).changed() == ""
