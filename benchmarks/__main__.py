"""Measure this pipeline against what others write for the same task: `make bench`, or `python -m benchmarks [NAME...]`.

Both sides of a ratio run on the full data in the same run, in turn. The table goes to the terminal and, with the
machine that it was made on, to `benchmarks/results.md`. With the names of modules only their rows are printed.

`python -m benchmarks path` writes the table of docs/path.md (`benchmarks/path.py`).

`python -m benchmarks gpu` needs no packages but numpy, pandas, psutil, pydantic, PyYAML, safetensors, torch and
tqdm, so that it runs where PyTorch is installed and the project is not.
"""

import platform
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.full_data import required_zip, unpack
from benchmarks.timing import cpu
from src.core import params
from src.models.recipes import Recipe

RESULTS = Path(__file__).parent / "results.md"
HEAD = ["| what | peer | this pipeline | ratio: median (least-greatest) |", "| --- | --- | --- | --- |"]
BENCHMARKS = ("notebook", "reading", "logistic", "demo", "bare_loop", "mnist_example", "cross_validation")
"""The shortest come first. `gpu` is run by name, or where there is one."""


def main(names: Sequence[str]) -> None:
    """Run the benchmarks of these names, or all."""
    if names[:1] == ["path"]:
        import_module("benchmarks.path").main(names[1:])
        return
    has_gpu = torch.cuda.is_available()
    if "gpu" in names and not has_gpu:
        raise SystemExit("there is no GPU: torch finds no cuda on this machine")
    zip_file = required_zip()
    recipes = params.get("recipes", dict[str, Recipe])
    lines = list(HEAD)
    print("\n".join(HEAD), flush=True)
    with TemporaryDirectory() as folder:
        data = unpack(zip_file, Path(folder))
        for name in names or (*BENCHMARKS, *(["gpu"] if has_gpu else [])):
            for row in import_module(f"benchmarks.{name}").measure(data, recipes):
                lines.append(str(row))
                print(row, flush=True)
    if not names:
        versions = f"Python {platform.python_version()}, torch {torch.__version__}"
        machine = f"{torch.get_num_threads()} threads of {cpu()} ({instruction_sets()}), {versions}"
        RESULTS.write_text("\n".join(["# Results of `make bench`", "", f"Made with {machine}.", "", *lines, ""]))


def instruction_sets() -> str:
    """Return the vector instructions that decide how fast torch is, as far as the processor has them."""
    capabilities = torch.cpu.get_capabilities()
    return ", ".join(name for name in ("avx2", "avx512_f", "avx512_bf16", "amx_bf16") if capabilities.get(name))


if __name__ == "__main__":
    main(sys.argv[1:])
