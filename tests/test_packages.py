"""The packages of src: each imports only packages below itself."""

from pathlib import Path

import pytest

from tests.conftest import ROOT, Project
from tests.imports import imported_by, modules

ORDER = [
    "demo", "reporting", "evaluation", "inference", "training", "models", "sources", "audit", "preparation", "data",
    "core",
]  # fmt: skip
"""From the highest package to the lowest; `src/check.py` and `src/jobs.py` stand above all."""


def test_every_package_is_in_the_order_and_says_what_it_holds() -> None:
    packages = [path.parent for path in (ROOT / "src").glob("*/__init__.py")]
    assert sorted(package.name for package in packages) == sorted(ORDER)
    assert sorted(path.name for path in (ROOT / "src").glob("*.py")) == ["__init__.py", "check.py", "jobs.py"]
    for package in packages:
        assert (package / "__init__.py").read_text().startswith('"""')


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_lower_ones(package: str) -> None:
    for file in sorted(modules(Path("src") / package)):
        for imported in imported_by(file):
            other = imported.parts[1]
            assert other in ORDER[ORDER.index(package) :], f"{file} imports the higher {imported}"


def test_another_project_s_src_on_the_path_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "__init__.py").write_text("raise ImportError('another project')")
    Project(ROOT).run("python", "-c", "import src.core.errors", PYTHONPATH=str(tmp_path))


def test_stages_are_imported_by_nothing() -> None:
    assert not [file for file in modules(Path("src")) if "from stages" in (ROOT / file).read_text()]
