"""Whether the results are up to date with the files and the parameters, according to DVC."""

import json
import subprocess
import sys
from dataclasses import dataclass

from src.core.errors import UserError


@dataclass(frozen=True)
class Status:
    """What `dvc status` says.

    Attributes:
        outdated: the stages whose results are missing, or older than the code, the parameters or the data.
        failure: why DVC cannot tell, in one line; empty if it can.
    """

    outdated: tuple[str, ...]
    failure: str = ""

    def refuse(self, what: str) -> None:
        """Refuse to write `what` from results that are not up to date.

        Raises:
            UserError: they are not, or DVC cannot tell.
        """
        if self.failure:
            raise UserError(f"{what}: not written, because the results could not be checked: {self.failure}")
        if self.outdated:
            raise UserError(
                f"{what}: not written, because not up to date: {', '.join(self.outdated)}; run `make repro` first"
            )


def ask() -> Status:
    """Ask DVC, which takes a second."""
    done = subprocess.run([sys.executable, "-m", "dvc", "status", "--json"], capture_output=True, text=True)
    if done.returncode == 0:
        return Status(tuple(json.loads(done.stdout)))
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")] or done.stderr.splitlines()[-1:]
    reason = " ".join(said[0].removeprefix("ERROR: ").split()) if said else f"exit status {done.returncode}"
    return Status((), f"DVC says: {reason}")
