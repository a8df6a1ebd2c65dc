"""What the project's modules import, read from their syntax: nothing is run."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT


def imported_by(file: Path) -> Iterator[Path]:
    """Yield the project's files that a module imports anywhere in its text."""
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            module = Path(*name.split(".")).with_suffix(".py")
            if name.startswith("src.") and (ROOT / module).is_file():
                yield module
                for package in module.parents:  # Python runs them first
                    yield from modules(package / "__init__.py") if (ROOT / package / "__init__.py").is_file() else ()


def closure(start: Path) -> set[Path]:
    """Return the project's files that a module imports, directly or not, and itself."""
    found, pending = set[Path](), {start}
    while pending:
        file = pending.pop()
        found.add(file)
        pending |= set(imported_by(file)) - found
    return found


def modules(path: Path) -> set[Path]:
    """Return the modules of a file or folder; an `__init__.py` that holds only a docstring is none."""
    files = [path] if path.suffix == ".py" else sorted(file.relative_to(ROOT) for file in (ROOT / path).rglob("*.py"))
    return {file for file in files if file.name != "__init__.py" or len(ast.parse((ROOT / file).read_text()).body) > 1}
