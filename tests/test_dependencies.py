"""Each stage declares exactly what it reads and imports.

Each stage's command runs in a folder that holds its declared dependencies and parameters and nothing else, and fails
in a folder that lacks any one of them.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.dependency import ParamsDependency
from dvc.repo import Repo
from ruamel.yaml import YAML

from tests.conftest import Project

STAGES = ["download", "split", "normalize", "train@0", "evaluate", "predict", "submit", "draw"]


class Declared:
    """What dvc.yaml says of one stage, with its templates filled in."""

    def __init__(self, project: Project, name: str) -> None:
        with Repo(project.root) as repo:
            stage = next(stage for stage in repo.index.stages if stage.name == name)
            self.command = stage.cmd
            self.files = [dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)]
            self.keys = [key for dep in stage.deps if isinstance(dep, ParamsDependency) for key in dep.params]
        self._project = project
        self._params = YAML(typ="safe").load(project.root / "params.yaml")

    def run_with(self, root: Path, files: list[str], keys: list[str], *, fails: bool) -> str:
        """Run the command in a new folder that holds only `files`, and of params.yaml only `keys`."""
        root.mkdir()
        for name in files:
            source, target = self._project.root / name, root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        YAML().dump(self._only(keys), root / "params.yaml")
        return Project(root, {"PYTHONDONTWRITEBYTECODE": "1"}).run(*self.command.split(), fails=fails)

    def _only(self, keys: list[str]) -> dict[str, object]:
        chosen: dict[str, object] = {}
        for key in keys:
            *parents, name = key.split(".")
            source, target = self._params, chosen
            for parent in parents:
                source, target = source[parent], target.setdefault(parent, {})
            target[name] = source[name]
        return chosen


def incomplete(names: list[str]) -> Iterator[tuple[str, list[str]]]:
    for missing in names:
        yield missing, [name for name in names if name != missing]


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_are_enough_and_none_is_idle(stage: str, reproduced: Project, tmp_path: Path) -> None:
    declared = Declared(reproduced, stage)
    declared.run_with(tmp_path / "complete", declared.files, declared.keys, fails=False)
    for number, (missing, files) in enumerate(incomplete(declared.files)):
        print("without", missing)
        declared.run_with(tmp_path / f"file{number}", files, declared.keys, fails=True)
    for number, (missing, keys) in enumerate(incomplete(declared.keys)):
        print("without", missing)
        output = declared.run_with(tmp_path / f"key{number}", declared.files, keys, fails=True)
        assert missing.split(".")[0] in output


@pytest.mark.parametrize("source", ["local", "kaggle"])
def test_other_sources_declare_their_own_module(source: str, reproduced: Project) -> None:
    sample, other = Declared(reproduced, "download"), None
    reproduced.set({"source": source})
    other = Declared(reproduced, "download")
    assert set(other.files) - set(sample.files) == {f"src/sources/{source}.py"}
    assert set(sample.files) - set(other.files) == {"src/sources/sample.py"}
    assert set(other.keys) - set(sample.keys) == {f"sources.{source}"}


def test_a_local_download_needs_no_more_than_it_declares(reproduced: Project, tmp_path: Path) -> None:
    reproduced.set({"source": "local", "sources.local.path": str(reproduced.root / "data" / "raw")})
    declared = Declared(reproduced, "download")
    declared.run_with(tmp_path / "complete", declared.files, declared.keys, fails=False)
