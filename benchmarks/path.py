"""Walk docs/path.md: run its commands one after the other, and write its table.

`python -m benchmarks path` runs them on the full data, which takes a quarter of an hour, and `python -m benchmarks
path --sample` on the sample. Each writes its own columns. A figure is of the labelled images that the step validates,
and the seconds are those of the whole command.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.full_data import required_zip
from benchmarks.project import ROOT, set_params

PAGE = ROOT / "docs" / "path.md"
STEP = re.compile(r"^## (\d+)\. .*?^    (dvc exp run .*?)$", re.MULTILINE | re.DOTALL)
"""The number of a step, and its command."""

ROW = re.compile(r"^\| (\d+) \|.*\|$", re.MULTILINE)
SAMPLE, FULL, SECONDS = 2, 3, 4
"""The columns that are written; the first is the number of the step, the second what it changes."""


def main(arguments: Sequence[str]) -> None:
    """Run all steps, print what each brings, and write it to the page."""
    on_sample = [*arguments] == ["--sample"]
    if arguments and not on_sample:
        raise SystemExit(f"error: {' '.join(arguments)}: expected nothing, or --sample")
    settings = {} if on_sample else {"source": "local", "sources.local.path": str(required_zip())}
    with TemporaryDirectory() as folder:
        for number, seconds, figures in walk(Path(folder) / "project", settings):
            cells = {SAMPLE: figures} if on_sample else {FULL: figures, SECONDS: f"{seconds:.0f}"}
            PAGE.write_text(with_cells(PAGE.read_text(encoding="utf-8"), number, cells), encoding="utf-8")
            print(number, f"{seconds:.1f} s", figures, flush=True)


def walk(root: Path, settings: dict[str, object]) -> Iterator[tuple[int, float, str]]:
    """Run the steps in a clone, and yield the number, the seconds and the figures of each."""
    variables = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def run(*command: str) -> None:
        done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")

    subprocess.run(["git", "clone", "--quiet", ROOT, root], check=True)
    for key, value in (("user.name", "A Learner"), ("user.email", "learner@localhost")):
        run("git", "config", key, value)
    set_params(root, settings)
    run("dvc", "repro", "normalize")  # what all steps have in common; nothing is trained, to be restored later
    for number, command in steps():
        start = time.perf_counter()
        run(*shlex.split(command))
        seconds = time.perf_counter() - start
        found = json.loads((root / "metrics/evaluate.json").read_text(encoding="utf-8"))
        interval = f"{found['ci_low']:.4f} to {found['ci_high']:.4f}"
        yield number, seconds, f"{found['accuracy']:.4f} ({interval})"


def steps() -> list[tuple[int, str]]:
    """Return the number and the command of each step of the page."""
    return [(int(number), command) for number, command in STEP.findall(PAGE.read_text(encoding="utf-8"))]


def with_cells(page: str, number: int, cells: dict[int, str]) -> str:
    """Return the page with other cells in the row of a step, by column."""

    def changed(row: re.Match[str]) -> str:
        if int(row[1]) != number:
            return row[0]
        old = [cell.strip() for cell in row[0].strip("|").split("|")]
        return f"| {' | '.join(cells.get(column, cell) for column, cell in enumerate(old))} |"

    return ROW.sub(changed, page)
