"""Fetch the files of the competition, and check them before anything else sees them."""

from pathlib import Path

from src import archive, cli, competition, jsonfile, sources
from src.locking import alone
from src.outputs import replacing


def main(raw_dir: Path, metrics_json: Path) -> None:
    source = sources.load()
    with alone("download"):
        with replacing(raw_dir) as incoming:
            incoming.mkdir()
            source.download(incoming)
            archive.unpack(incoming, competition.FILES)
            metrics = competition.check(incoming)
        jsonfile.write(metrics_json, metrics)


if __name__ == "__main__":
    cli.run(main)
