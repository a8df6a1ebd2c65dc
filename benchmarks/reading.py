"""Reading and normalizing as the notebook does, against the stages `split` and `normalize`.

Each side runs in a process of its own, `python -m benchmarks.reading SIDE FOLDER`, so that its memory is all it holds.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.full_data import FullData
from benchmarks.timing import Row, alone, peak_memory
from src.models.recipes import Recipe

ROUNDS = 3


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Time both from the raw files to normalized images, after all imports, and weigh their peak memory."""
    peer, ours = [], []
    for _ in range(ROUNDS):
        peer.append(alone(__name__, "notebook", data.raw_dir))
        ours.append(alone(__name__, "stages", data.raw_dir))
    (peer_seconds, peer_memory), (our_seconds, our_memory) = (list(zip(*one, strict=True)) for one in (peer, ours))
    return [
        Row.of("(c) reading and normalizing: seconds", peer_seconds, our_seconds, digits=1),
        Row.of("(c) its peak memory, MiB", peer_memory, our_memory, digits=0),
    ]


def as_the_notebook(raw_dir: Path) -> float:
    """Read both files with pandas, divide column by column, and make tensors; return the seconds."""
    import pandas as pd
    import torch

    start = time.perf_counter()
    train, test = pd.read_csv(raw_dir / "train.csv"), pd.read_csv(raw_dir / "test.csv")
    labels = torch.tensor(train["label"].to_numpy())
    images = train.drop(columns="label").apply(lambda column: column / 255)
    size = int(0.8 * len(images))
    torch.tensor(images[:size].to_numpy()).float(), torch.tensor(images[size:].to_numpy()).float(), labels
    torch.tensor(test.apply(lambda column: column / 255).to_numpy()).float()
    return time.perf_counter() - start


def as_the_stages(raw_dir: Path) -> float:
    """Run the two stages, with all that they write; return the seconds."""
    from stages import normalize, split

    with TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        split.main(raw_dir, folder / "split", folder / "classes.csv", folder / "split.json")
        normalize.main(folder / "split", folder / "labelled", folder / "test", folder / "normalize.json")
        return time.perf_counter() - start


if __name__ == "__main__":
    side = {"notebook": as_the_notebook, "stages": as_the_stages}[sys.argv[1]]
    print(side(Path(sys.argv[2])), peak_memory())
