"""Print for which Pythons and systems every package of requirements.txt has a wheel: `python -m benchmarks.wheels`.

It asks the package index for some minutes, downloads nothing and installs nothing. A package without a wheel would be
compiled, for minutes or in vain. `SOURCES` are pure Python, so that pip builds them anywhere.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from packaging.requirements import Requirement

from benchmarks.project import ROOT

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
SYSTEMS = {
    "Linux x86-64": [f"manylinux_2_{minor}_x86_64" for minor in range(5, 40)] + ["manylinux2014_x86_64"],
    "Linux ARM": [f"manylinux_2_{minor}_aarch64" for minor in range(17, 40)] + ["manylinux2014_aarch64"],
    "macOS ARM": [f"macosx_{major}_0_{kind}" for major in range(11, 27) for kind in ("arm64", "universal2")],
    "Windows x86-64": ["win_amd64"],
}
SOURCES = {"antlr4-python3-runtime"}


def main() -> None:
    """Print a row for each system, with the packages that lack a wheel."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if not line.startswith("#")]
    pinned = [requirement for requirement in pinned if requirement.name not in SOURCES]
    with ThreadPoolExecutor(4) as pool:
        pure = pool.map(partial(has_wheel, python=PYTHONS[-1], tags=["any"]), pinned)
        compiled = [requirement for requirement, anywhere in zip(pinned, pure, strict=True) if not anywhere]
        print(f"| {len(pinned)} packages | {' | '.join(PYTHONS)} |\n| --- |{' --- |' * len(PYTHONS)}", flush=True)
        for system, tags in SYSTEMS.items():
            cells = []
            for python in PYTHONS:
                found = pool.map(partial(has_wheel, python=python, tags=tags), compiled)
                lacking = [line.name for line, has in zip(compiled, found, strict=True) if not has]
                cells.append(", ".join(lacking) or "all")
            print(f"| {system} | {' | '.join(cells)} |", flush=True)


def has_wheel(requirement: Requirement, python: str, tags: list[str]) -> bool:
    """Return whether the index has a wheel of a package for a Python and a system, given by the tags of its wheels."""
    windows = {"sys_platform": "win32" if tags == SYSTEMS["Windows x86-64"] else "other"}
    if requirement.marker is not None and not requirement.marker.evaluate(windows):
        return True  # it is not installed there
    [pin] = requirement.specifier
    done = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", requirement.name, "--pre", "--only-binary=:all:",
         f"--python-version={python}", *(f"--platform={tag}" for tag in tags)],
        capture_output=True, text=True,
    )  # fmt: skip
    versions = done.stdout.partition("Available versions: ")[2].partition("\n")[0]
    return pin.version in versions.split(", ")


if __name__ == "__main__":
    main()
