"""Reading and normalizing as the notebook does, against the stages `split` and `normalize`."""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.full_data import FullData
from benchmarks.timing import Row, alone, ratio
from src.recipes import Recipe

ROUNDS = 3


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Time both from the raw files to normalized images, and weigh their peak memory; the stages also write them."""
    peer, ours = [], []
    for _ in range(ROUNDS):
        peer.append(alone(as_the_notebook, data.raw_dir))
        with TemporaryDirectory() as folder:
            ours.append(alone(as_the_stages, data.raw_dir, Path(folder)))
    (peer_seconds, peer_memory), (our_seconds, our_memory) = (list(zip(*one, strict=True)) for one in (peer, ours))
    return [
        Row(
            "(c) reading and normalizing: seconds",
            f"{median(peer_seconds):.1f}",
            f"{median(our_seconds):.1f}",
            ratio(peer_seconds, our_seconds),
        ),
        Row(
            "(c) its peak memory, MiB",
            f"{median(peer_memory):.0f}",
            f"{median(our_memory):.0f}",
            ratio(peer_memory, our_memory),
        ),
    ]


def as_the_notebook(raw_dir: Path) -> None:
    """Read both files with pandas, divide column by column, and make tensors."""
    import pandas as pd
    import torch

    train, test = pd.read_csv(raw_dir / "train.csv"), pd.read_csv(raw_dir / "test.csv")
    labels = torch.tensor(train["label"].to_numpy())
    images = train.drop(columns="label").apply(lambda column: column / 255)
    size = int(0.8 * len(images))
    torch.tensor(images[:size].to_numpy()).float(), torch.tensor(images[size:].to_numpy()).float(), labels
    torch.tensor(test.apply(lambda column: column / 255).to_numpy()).float()


def as_the_stages(raw_dir: Path, folder: Path) -> None:
    """Run the library's part of the two stages, with what they write."""
    from src import competition, images
    from src.normalizing import normalize, summary
    from src.splitting import SplitParams, split

    sets = split(competition.read_labelled(raw_dir), SplitParams(train_fraction=0.8, shuffle=False, seed=0))
    images.save(folder / "split", sets)
    sets = {name: images.load(folder / "split" / name) for name in sets}
    sets["test"] = competition.read_unlabelled(raw_dir)
    images.save(folder / "normalized", {name: normalize(one) for name, one in sets.items()})
    for one in sets.values():
        summary(one.images)
