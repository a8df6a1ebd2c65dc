"""Print for which Pythons and systems every package of requirements.txt has a wheel: `python -m benchmarks.wheels`.

It asks the package index and installs nothing; an index that does not serve the metadata of wheels has them downloaded,
for a long time. A package without a wheel would be compiled, for minutes or in vain. `SOURCES` are pure Python, so that
pip builds them anywhere.
"""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.project import ROOT

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
SYSTEMS = {
    "Linux x86-64": [f"manylinux_2_{minor}_x86_64" for minor in range(5, 40)] + ["manylinux2014_x86_64"],
    "Linux ARM": [f"manylinux_2_{minor}_aarch64" for minor in range(17, 40)] + ["manylinux2014_aarch64"],
    "macOS ARM": [f"macosx_{major}_0_{kind}" for major in range(11, 27) for kind in ("arm64", "universal2")],
    "Windows x86-64": ["win_amd64"],
}
SOURCES = {"antlr4-python3-runtime"}
MISSING = re.compile(r"No matching distribution found for ([\w.-]+)==")


def main() -> None:
    """Print a row for each system, with the packages that lack a wheel."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if "==" in line and line.split("==")[0] not in SOURCES]
    print(f"| {len(pinned)} packages | {' | '.join(PYTHONS)} |\n| --- |{' --- |' * len(PYTHONS)}", flush=True)
    for system, tags in SYSTEMS.items():
        cells = [", ".join(without_wheel(pinned, python, tags)) or "all" for python in PYTHONS]
        print(f"| {system} | {' | '.join(cells)} |", flush=True)


def without_wheel(pinned: list[str], python: str, tags: list[str]) -> list[str]:
    """Return the packages that have no wheel for a Python and a system, given by the tags of its wheels."""
    missing: list[str] = []
    with TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        while remaining := [line for line in pinned if line.split("==")[0] not in missing]:
            wanted.write_text("\n".join(remaining), encoding="utf-8")
            done = subprocess.run(
                [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--only-binary=:all:", "--quiet",
                 f"--python-version={python}", *(f"--platform={tag}" for tag in tags), f"--target={folder}/target",
                 f"--requirement={wanted}"],
                stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            if done.returncode == 0:
                break
            if (found := MISSING.search(done.stderr)) is None:
                raise SystemExit(f"pip failed: {done.stderr}")
            missing.append(found[1])
    return missing


if __name__ == "__main__":
    main()
