"""Record which seeds make up the ensemble, and remove the files of seeds that were taken out."""

from pathlib import Path

from src.core import cli, params
from src.inference import members


def main(ensemble_json: Path, folders: list[Path]) -> None:
    seeds = params.get("seeds", members.Seeds).root
    members.remove_others(seeds, folders)
    members.write(ensemble_json, seeds)


if __name__ == "__main__":
    cli.run(main)
