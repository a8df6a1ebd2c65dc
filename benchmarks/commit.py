"""Compare the last commit with an earlier one: `python -m benchmarks.commit REVISION`.

Both are cloned, each with an environment of its own. The rows are, in seconds: from `git clone` to the end of `make
repro`, with an empty installer cache; a first `dvc repro` on the sample; one with nothing to do; and, where the full
data is at hand, the training of five networks of the recipe `quick` on it. The last three are measured in turn, five
rounds. The table goes to the terminal.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.__main__ import HEAD
from benchmarks.full_data import find_zip
from benchmarks.project import ROOT, set_params
from benchmarks.timing import Row, in_turn

ROUNDS = 5
FULL_SIZE = {"source": "local", "recipe": "quick", "folds": [0, 1, 2, 3, 4]}


class Commit:
    """A commit of this project, with folders for its clones.

    Args:
        folder: a new folder.
        revision: as git names it.
    """

    def __init__(self, folder: Path, revision: str) -> None:
        self._folder, self._revision = folder, revision
        self._installed = folder / "installed"

    def clone(self, name: str) -> Path:
        """Return a fresh clone in place of the one of that name."""
        root = self._folder / name
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", ROOT, root], check=True)
        subprocess.run(["git", "checkout", "--quiet", self._revision], cwd=root, check=True)
        return root

    def run(self, root: Path, *command: str) -> None:
        """Run a command in a clone with the environment of `install`."""
        path = f"{self._installed / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(command, cwd=root, env=os.environ | {"PATH": path}, stdout=subprocess.DEVNULL, check=True)

    def install(self) -> None:
        """Clone the project and run `make repro` in it."""
        variables = os.environ | {"PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1"}
        # the environment of this process is not the one that a newcomer has
        base = {"PYTHON": sys._base_executable}  # type: ignore[attr-defined]  # typeshed lacks it
        root = self.clone("installed")
        subprocess.run(["make", "repro"], cwd=root, env=variables | base, stdout=subprocess.DEVNULL, check=True)

    def repro(self, *stages: str) -> None:
        """Run `dvc repro` in the clone that was made last."""
        self.run(self._folder / "clone", "python", "-m", "dvc", "repro", *stages)

    def at_full_size(self, zip_file: Path) -> None:
        """Clone the project and bring the inputs of the trainings on the full data up to date."""
        set_params(self.clone("clone"), FULL_SIZE | {"sources.local.path": str(zip_file)})
        self.repro("normalize")


def main(revision: str) -> None:
    """Print the table."""
    print("\n".join(HEAD), flush=True)
    with TemporaryDirectory() as folder:
        both = [Commit(Path(folder) / name, name) for name in (revision, "HEAD")]
        show("from `git clone` to the result of `make repro`", in_turn([one.install for one in both], 1))
        first, nothing = [], []
        for _ in range(ROUNDS):
            for one in both:
                one.clone("clone")
            first.append(in_turn([one.repro for one in both], 1))
            nothing.append(in_turn([one.repro for one in both], 1))
        show("first `dvc repro` on the sample", joined(first))
        show("`dvc repro` with nothing to do", joined(nothing))
        if (zip_file := find_zip()) is not None:
            for one in both:
                one.at_full_size(zip_file)
            works = [lambda one=one: one.repro("--single-item", "--force", *trainings()) for one in both]
            show("five networks of `quick` on the full data", in_turn(works, ROUNDS))


def trainings() -> list[str]:
    """Return the stages that train the networks."""
    return [f"train@{fold}-0" for fold in range(5)]


def joined(rounds: list[list[list[float]]]) -> list[list[float]]:
    """Return the seconds of each side over all rounds."""
    return [[seconds for one in rounds for seconds in one[side]] for side in (0, 1)]


def show(what: str, seconds: list[list[float]]) -> None:
    """Print a row: the earlier commit, the last one, and the ratio of their times in each round."""
    print(Row.of(what, *seconds, digits=1), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
