"""Native Windows, on which these tests have not run: what can be tested of it elsewhere.

The stages run with what Windows lacks, forbids and does otherwise (`tests/windows`), and give the same bytes.
"""

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from src.core.yaml_1_2 import load_yaml
from tests.competitions import letters
from tests.conftest import ROOT, Project
from tests.imports import modules
from tests.kaggle_server import serve
from tests.test_kaggle_runs import point_at
from tests.windows.sitecustomize import MISSING_MODULES

WINDOWS = {
    "PYTHONPATH": str(ROOT / "tests/windows"),
    # a terminal that has few letters
    "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0",
}  # fmt: skip


def hashes(project: Project) -> Mapping[str, str]:
    """Return the hashes of all outputs, by their paths."""
    stages: Mapping[str, Any] = load_yaml((project.root / "dvc.lock").read_text())["stages"]
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}


@pytest.mark.slow
def test_the_default_run_writes_the_same_bytes(project: Project, finished: Project) -> None:
    project.environment = WINDOWS
    project.repro()
    assert hashes(project) == hashes(finished)


@pytest.mark.slow
def test_files_of_one_s_own_and_kaggle(project: Project) -> None:
    with serve(letters()) as kaggle:
        point_at(project, kaggle)
        project.environment |= WINDOWS
        project.repro("submit")
        assert len(kaggle.submissions) == 1


def test_no_module_imports_what_windows_lacks() -> None:
    for file in modules(Path("src")) | modules(Path("stages")):
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not MISSING_MODULES & {*names}, file


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_the_types_are_right_on_other_systems(platform: str, tmp_path: Path) -> None:
    """A name of the standard library that the system lacks is an error of its type; no other packages are looked at."""
    options = ["--no-site-packages", "--ignore-missing-imports", "--explicit-package-bases", "--check-untyped-defs"]
    command = [sys.executable, "-m", "mypy", "--config-file=", "--platform", platform, "--cache-dir", tmp_path]
    done = subprocess.run([*command, *options, "src", "stages"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_two_files_differ_only_in_upper_and_lower_case(finished: Project) -> None:
    names = finished.run("git", "ls-files").splitlines()
    assert len({name.casefold() for name in names}) == len(names)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import fcntl", "there is no fcntl on Windows"),
        ("os.sysconf", "there is no sysconf on Windows"),
        ("hasattr(signal, 'SIGTERM') and signal.SIGALRM", "there is no SIGALRM on Windows"),
        ("Path('x').write_text('x')", "x: no encoding is named"),
        ("Path('a:b').touch(); Path('a:b').open('rb')", "a:b: Invalid argument"),
        ("Path('link').symlink_to('x')", "A required privilege is not held"),
        ("file = open('x', 'wb'); Path('x').unlink()", "x: The process cannot access the file"),
        (
            "np.save('x.npy', [1]); array = np.load('x.npy', mmap_mode='r'); Path('x.npy').rename('y')",
            "x.npy: The process",
        ),
    ],
)
def test_the_test_bed_is_like_windows(tmp_path: Path, code: str, said: str) -> None:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/__init__.py").touch()
    (tmp_path / "stages/probe.py").write_text(
        f"import os, signal\nimport numpy as np\nfrom pathlib import Path\nfrom src.core import cli\n"
        f"def main() -> None:\n    {code}\ncli.run(main)\n"
    )
    variables = {"PYTHONPATH": f"{WINDOWS['PYTHONPATH']}:{ROOT}"}
    output = Project(tmp_path, variables).run("python", "-m", "stages.probe", fails=True)
    assert said in output.splitlines()[-1]
