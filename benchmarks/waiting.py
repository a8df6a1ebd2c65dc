"""One thread, or two that wait for each other as torch lets them, against the stages of this project (`dvc.yaml`).

Each run is a process of its own, `python -m benchmarks.waiting RECIPE FOLDER`, for the way of waiting is fixed when
torch is loaded.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from benchmarks.full_data import FullData
from benchmarks.timing import Row, alone, peak_memory
from benchmarks.training import train_as_the_stage
from src.check import Params
from src.core import params
from src.data import images
from src.data.images import ImageSet
from src.models.recipes import Recipe

ROUNDS = 3
IMAGES = 4200  # an eighth of an epoch


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Time an eighth of an epoch, alone and beside a process that keeps one core busy."""
    torchs = dict(os.environ)
    stages = torchs | stage_variables()
    single = torchs | {"OMP_NUM_THREADS": "1"}
    rows = []
    set_dir = data.raw_dir / "eighth"
    images.write_set(set_dir, [data.train_set.images[:IMAGES]], data.train_set.known_labels[:IMAGES])
    for name in ("quick", "cnn"):
        for what, peer, beside in (
            ("in one thread", single, nullcontext()),
            ("with torch's waiting", torchs, nullcontext()),
            ("with torch's waiting, beside a busy process", torchs, busy_process()),
        ):
            with beside:
                seconds = [
                    [alone(__name__, name, set_dir, environment=one)[0] for one in (peer, stages)]
                    for _ in range(ROUNDS)
                ]
            theirs, ours = zip(*seconds, strict=True)
            rows.append(Row.of(f"(g) {name} {what}: seconds an eighth of an epoch", theirs, ours, digits=2))
    return rows


def stage_variables() -> dict[str, str]:
    """Return the environment variables with which the stages run torch."""
    [variables] = params.load_yaml(Path("dvc.yaml").read_text())["vars"]
    return dict(re.findall(r"(\w+)=(\S+)", variables["torch_python"]))


@contextmanager
def busy_process() -> Iterator[None]:
    """Keep one core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def train_twice(recipe: Recipe, train_set: ImageSet) -> float:
    """Train, and return the seconds of the second time, when everything is loaded."""
    for _ in range(2):
        start = time.perf_counter()
        train_as_the_stage(recipe, train_set, train_set[:0])
    return time.perf_counter() - start


if __name__ == "__main__":
    recipe = params.validate(params.read(), Params, []).recipes[sys.argv[1]].model_copy(update={"epochs": 1})
    print(train_twice(recipe, images.open_set(Path(sys.argv[2]))), peak_memory())
