"""The source `local`: a zip or a folder that was downloaded in the browser."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from src.core.errors import UserError
from src.core.params import Section
from src.sources.interface import Sent

PROJECT = "DVC_ROOT"
"""The variable by which DVC tells a stage its project, also where a queued experiment runs in a copy of it."""


class Source(Section):
    """Files on this machine; predictions are uploaded by hand.

    Attributes:
        path: the zip or the folder; a relative path starts at the project, also in an experiment that DVC queued.
    """

    path: str

    @property
    def lock(self) -> Path:
        """One for the project."""
        return Path(".submit.lock.tmp")

    def download(self, into: Path, names: Sequence[str]) -> None:
        """Copy the zip, or the files `names` of the folder, to the folder `into`.

        Raises:
            UserError: the path is empty, or nothing is there.
        """
        if not self.path:
            raise UserError("params.yaml: sources.local.path: give the path of a zip or folder with the files")
        try:
            source = Path(os.environ.get(PROJECT, "")) / Path(self.path).expanduser()
        except RuntimeError:
            raise UserError(f"params.yaml: sources.local.path: there is no home folder in {self.path!r}") from None
        if not source.exists():
            raise UserError(f"params.yaml: sources.local.path: there is no {source}")
        for file in [source / name for name in names] if source.is_dir() else [source]:
            shutil.copy(file, into)

    def earlier(self) -> list[Sent]:
        """Return an empty list: manual uploads are not recorded here."""
        return []

    def submit(self, csv: Path, message: str) -> None:
        """Print which file to upload."""
        print(f"upload {csv} to the competition's page; a message to go with it: {message}")
