"""Measure this pipeline against what others write for the same task: `make bench`.

Both sides of a ratio run on the full data in the same run, in turn. Torch's threads wait for each other as torch lets
them, for both sides; `waiting` measures what the stages do instead. The table goes to the terminal and, with the
machine that it was made on, to `benchmarks/results.md`.
"""

import platform
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks import bare_loop, curve, demo, full_data, logistic, mnist_example, notebook, reading, timing, waiting
from src.check import Params
from src.core import params

RESULTS = Path(__file__).parent / "results.md"
HEAD = ["| what | peer | this pipeline | ratio: median (least-greatest) |", "| --- | --- | --- | --- |"]


def main() -> None:
    """Run all benchmarks; the shortest come first."""
    zip_file = full_data.find_zip()
    if zip_file is None:
        raise SystemExit(f"error: {full_data.WHERE}")
    recipes = params.validate(params.read(), Params, []).recipes
    lines = list(HEAD)
    print("\n".join(HEAD), flush=True)
    with TemporaryDirectory() as folder:
        data = full_data.unpack(zip_file, Path(folder))
        for benchmark in (notebook, reading, logistic, demo, bare_loop, waiting, curve, mnist_example):
            for row in benchmark.measure(data, recipes):
                lines.append(str(row))
                print(row, flush=True)
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    machine = f"{torch.get_num_threads()} threads of {timing.cpu()} ({instruction_sets()}), {versions}"
    RESULTS.write_text("\n".join(["# Results of `make bench`", "", f"Made with {machine}.", "", *lines, ""]))


def instruction_sets() -> str:
    """Return the vector instructions that decide how fast torch is, as far as the processor has them."""
    capabilities = torch.cpu.get_capabilities()
    return ", ".join(name for name in ("avx2", "avx512_f", "avx512_bf16", "amx_bf16") if capabilities.get(name))


if __name__ == "__main__":
    main()
