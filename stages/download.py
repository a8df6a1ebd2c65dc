"""Fetch the competition's files, and check them before anything else reads them."""

from pathlib import Path

from src.core import cli, metrics
from src.core.outputs import replacing
from src.data.competition import reading
from src.data.competition.files import FILES, LABEL
from src.sources import archive, interface
from src.sources.locking import exclusive


def main(raw_dir: Path, metrics_json: Path) -> None:
    source = interface.selected()
    with exclusive("download", Path(".download.lock.tmp")):
        with replacing(raw_dir) as incoming:
            incoming.mkdir()
            source.download(incoming, FILES)
            archive.unpack(incoming, incoming, FILES)
            if source.label:
                (incoming / LABEL).write_text(source.label, encoding="utf-8")
            labelled, _ = reading.count_images(incoming)
        metrics.write(metrics_json, {"images": labelled})


if __name__ == "__main__":
    cli.run(main)
