"""Copy the networks of params.yaml to one folder, and delete the files of other networks."""

from pathlib import Path

from src.core import cli, params
from src.inference import members


def main(checkpoints_dir: Path, models_dir: Path, other_folders: list[Path]) -> None:
    names = members.names(params.get("folds", members.Folds).root, params.get("seeds", members.Seeds).root)
    members.remove_others(names, [checkpoints_dir, *other_folders])
    members.gather(names, checkpoints_dir, models_dir)


if __name__ == "__main__":
    cli.run(main)
