"""The stages of dvc.yaml in a folder of their own, each in a process of its own: what `dvc repro` runs, without DVC."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from dvc.utils.serialize import modify_yaml

ROOT = Path(__file__).parent.parent
FILES = ("dvc.yaml", "params.yaml", "metrics/refusals.yaml")


def set_params(root: Path, values: Mapping[str, object]) -> None:
    """Change the params.yaml of a project: new values by dotted key."""
    with modify_yaml(root / "params.yaml") as content:
        for key, value in values.items():
            section = content
            *parents, name = key.split(".")
            for parent in parents:
                section = section[parent]
            section[name] = value


class Project:
    """A folder in which stages run on other data and with other parameters than in this project.

    Args:
        root: a new folder.
        raw_dir: the files of the competition.
        values: new values of params.yaml, by dotted key.
    """

    def __init__(self, root: Path, raw_dir: Path, values: Mapping[str, object]) -> None:
        self.root = root
        for name in FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        fixed = {"source": "local", "sources.local.path": str(raw_dir), "device": "cpu", "launcher": "python"}
        set_params(root, fixed | {"seeds": [0]} | dict(values))

    def run(self, stage: str) -> tuple[float, float]:
        """Run a stage by its command in dvc.yaml; return the seconds, with all imports, and the peak memory in MiB."""
        from dvc.repo import Repo

        with Repo(str(self.root), uninitialized=True) as repo:
            commands = {one.name: one.cmd for one in repo.index.stages}
        return self.run_module(*shlex.split(commands[stage].removeprefix("python -m ")))

    def run_module(self, module: str, *arguments: str) -> tuple[float, float]:
        """Run a module as `run` runs that of a stage."""
        command = [sys.executable, "-m", "benchmarks.timing", module, *arguments]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        start = time.perf_counter()
        done = subprocess.run(command, cwd=self.root, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        return time.perf_counter() - start, float(done.stdout.splitlines()[-1])
