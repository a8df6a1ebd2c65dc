"""Record which models make up the ensemble, and remove the files of former members."""

from pathlib import Path

from src.core import cli, params
from src.inference import members


def main(ensemble_json: Path, folders: list[Path]) -> None:
    seeds = params.get("seeds", members.Seeds).root
    names = members.names(seeds, params.get("more_recipes", members.MoreRecipes).root)
    members.remove_others(names, folders)
    members.write(ensemble_json, names)


if __name__ == "__main__":
    cli.run(main)
