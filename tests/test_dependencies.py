"""Each stage declares what it imports, reads and is parametrized by, and nothing else."""

import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.dependency import ParamsDependency
from dvc.utils.serialize import dump_yaml

from src.core.yaml_1_2 import load_yaml
from tests.competitions import digits
from tests.conftest import ROOT, STAGES, Project
from tests.imports import closure, modules
from tests.kaggle_server import serve

SOURCES = ["sample", "local", "kaggle"]
WHOLE = [Path("src/core"), Path("src/data/competition")]
"""Small packages that a stage may depend on although it does not import all of them."""
ENVIRONMENT = Path("requirements.txt")
GIVEN = [ENVIRONMENT, Path("metrics/refusals.yaml"), Path("data/by-hand")]
"""The dependencies that are neither code nor written by a stage for another."""

LARGE = {"matplotlib", "numpy", "pandas", "scipy", "sklearn", "torch", "torch._dynamo"}
"""What takes a tenth of a second or more to import, and a stage can do without."""
LISTING = """
import atexit, pathlib, sys
atexit.register(lambda: pathlib.Path({path!r}).write_text("\\n".join(sys.modules)))
"""
"""As `sitecustomize.py`, it lists what a process has imported when it ends."""


def budgets() -> dict[str, tuple[int, set[str]]]:
    """Return how many modules each stage may import, and which of `LARGE`, from docs/design.md."""
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.*) \|$", (ROOT / "docs/design.md").read_text(), re.MULTILINE)
    return {name: (int(most), {*large.split(", ")} - {"-"}) for name, most, large in rows}


class Declared:
    """What dvc.yaml says about one of the `stages` of a project, with its templates filled in."""

    def __init__(self, project: Project, stages: dict[str, Any], name: str) -> None:
        stage = stages[name]
        self.command = stage.cmd
        self.files = [Path(dep.def_path) for dep in stage.deps if not isinstance(dep, ParamsDependency)]
        self.keys = [key for dep in stage.deps if isinstance(dep, ParamsDependency) for key in dep.params]
        self._project = project

    @property
    def code(self) -> list[Path]:
        """The files and folders of code."""
        return [path for path in self.files if path.parts[0] in ("src", "stages")]

    def run_in(self, root: Path, keys: list[str], *, fails: bool = False, **environment: str) -> str:
        """Run the command in a new folder that holds the declared files, and of params.yaml only `keys`."""
        return self.copy_to(root, keys).run(*self.command.split(), fails=fails, **environment)

    def copy_to(self, root: Path, keys: list[str]) -> Project:
        """Fill an empty or new folder with the declared files, and of params.yaml only `keys`."""
        root.mkdir(exist_ok=True)
        for name in self.files:
            if name.is_absolute():  # no part of the project
                continue
            source, target = self._project.root / name, root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)
        dump_yaml(root / "params.yaml", self._only(keys))
        return Project(root, {"PYTHONDONTWRITEBYTECODE": "1"})

    def _only(self, keys: list[str]) -> dict[str, object]:
        content = load_yaml((self._project.root / "params.yaml").read_text())
        chosen: dict[str, object] = {}
        for key in keys:
            *parents, name = key.split(".")
            source, target = content, chosen
            for parent in parents:
                source, target = source[parent], target.setdefault(parent, {})
            target[name] = source[name]
        return chosen


def stages_and_sources() -> Iterator[tuple[str, str]]:
    for stage in STAGES:
        for source in SOURCES if stage in ("download@files", "submit") else SOURCES[:1]:
            yield stage, source


@pytest.fixture
def declared(request: pytest.FixtureRequest, project: Project) -> Declared:
    stage, source = request.param
    project.set({"source": source, "sources.kaggle.competition": digits().name})
    return Declared(project, project.stages(), stage)


@pytest.mark.parametrize(
    ("declared", "source"),
    [((stage, source), source) for stage, source in stages_and_sources()],
    indirect=["declared"],
    ids=[f"{stage} {source}" for stage, source in stages_and_sources()],
)
def test_the_declared_code_is_what_the_stage_imports(declared: Declared, source: str) -> None:
    script = next(path for path in declared.code if path.parts[0] == "stages")
    needed = closure(script)
    if Path("src/sources/interface.py") in needed:  # it imports the source by the name in params.yaml
        needed |= modules(Path("src/sources") / source)
    listed = {module for path in declared.code for module in modules(path)}
    missing = sorted(needed - listed)
    assert not missing, f"dvc.yaml: add to the deps of {script.stem}: {', '.join(map(str, missing))}"
    whole = needed.union(*map(modules, WHOLE))
    idle = sorted(path for path in declared.code if not modules(path) <= whole or not modules(path) & needed)
    assert not idle, f"dvc.yaml: {script.stem} does not import all of {', '.join(map(str, idle))}; list its files"


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_with_its_declared_files_and_parameters_only_and_imports_no_more_than_its_budget(
    name: str, finished: Project, finished_stages: dict[str, Any], tmp_path: Path
) -> None:
    listing = tmp_path / "imported.txt"
    (tmp_path / "sitecustomize.py").write_text(LISTING.format(path=str(listing)))
    stage = Declared(finished, finished_stages, name)
    stage.run_in(tmp_path / "isolated", stage.keys, PYTHONPATH=str(tmp_path))
    imported = listing.read_text().split()
    most, large = budgets()[name.partition("@")[0]]
    assert LARGE & {*imported} == large
    assert 0.7 * most <= len(imported) <= most, "docs/design.md: what a stage imports"


@pytest.mark.parametrize("name", ["download@files", "submit"])
def test_it_does_so_with_local_files(name: str, reproduced: Project, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for file, content in digits().files.items():
            archive.writestr(file, content)
    reproduced.set({"source": "local", "sources.local.path": str(tmp_path / "digits.zip")})
    stage = Declared(reproduced, reproduced.stages(), name)
    stage.run_in(tmp_path / "isolated", stage.keys)


@pytest.mark.parametrize("name", ["download@files", "submit"])
def test_it_does_so_with_kaggle(name: str, reproduced: Project, tmp_path: Path) -> None:
    with serve(digits()) as kaggle:
        reproduced.set({"source": "kaggle", "sources.kaggle.competition": kaggle.competition.name})
        wanted = digits().files["sample_submission.csv"]
        (reproduced.root / "data/predictions/submission.csv").unlink()
        (reproduced.root / "data/predictions/submission.csv").write_bytes(wanted)
        stage = Declared(reproduced, reproduced.stages(), name)
        stage.run_in(tmp_path / "isolated", stage.keys, HOME=str(tmp_path), **kaggle.environment)


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_a_stage_reads_every_parameter_that_it_declares(
    name: str, finished: Project, finished_stages: dict[str, Any], tmp_path: Path
) -> None:
    stage = Declared(finished, finished_stages, name)
    for number, missing in enumerate(stage.keys):
        keys = [key for key in stage.keys if key != missing]
        output = stage.run_in(tmp_path / str(number), keys, fails=True)
        assert missing.split(".")[0] in output


def test_no_stage_depends_on_a_part_of_an_output(finished: Project, finished_stages: dict[str, Any]) -> None:
    """DVC would look for the part in the output of the last commit, and fail in a clone whose cache lacks that."""
    outputs = {Path(out.def_path) for stage in finished_stages.values() for out in stage.outs}
    for name in STAGES:
        stage = Declared(finished, finished_stages, name)
        for path in {*stage.files} - {*stage.code, *GIVEN}:
            whole = any(output.is_relative_to(path) for output in outputs)
            assert whole, f"dvc.yaml: {name} depends on {path}, which neither is an output nor holds one"


def test_dvc_yaml_is_read_at_a_glance(finished: Project, finished_stages: dict[str, Any]) -> None:
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= 160
    assert sorted(finished_stages) == sorted(STAGES)
    assert max(len(Declared(finished, finished_stages, name).files) for name in STAGES) <= 10


def test_results_depend_on_the_environment_and_files_of_a_source_do_not(
    finished: Project, finished_stages: dict[str, Any]
) -> None:
    depending = {name for name in STAGES if ENVIRONMENT in Declared(finished, finished_stages, name).files}
    assert depending == {"split", "audit", "normalize", "train@4-0", "predict", "evaluate", "draw"}


def test_what_no_stage_declares_does_nothing_but_stop_the_garbage_collector() -> None:
    """Python runs it before each stage, and DVC would not notice a change of it."""
    code = (ROOT / "stages/__init__.py").read_text().rpartition('"""')[2]
    assert code.split() == ["import", "gc", "gc.disable()"]
    assert not modules(Path("src/__init__.py"))
