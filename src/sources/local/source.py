"""The source `local`: a zip or a folder that was downloaded in the browser."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from src.core.errors import UserError
from src.sources.interface import Offline


class Source(Offline):
    """Files on this machine; predictions are uploaded by hand.

    Attributes:
        path: the zip, or a folder with the files or with one zip. `download` depends on it with this source alone, so
            DVC notices when it changes. An experiment that DVC runs in a copy of the project (`--queue`, `--temp`)
            needs an absolute path.
        label: the column of `train.csv` to learn; empty where it can be found in the files.
    """

    path: Annotated[str, Field(min_length=1)]
    label: str = ""

    def download(self, into: Path, names: Sequence[str]) -> None:
        """Copy the files `names` from the zip or the folder into the folder `into`.

        Raises:
            UserError: they are not there, or cannot be unpacked.
        """
        # a submission needs no archive, and the stage that makes one does not depend on it
        from src.sources.archive import unpack

        source = Path(self.path).absolute()
        if not source.exists():
            raise UserError(f"params.yaml: sources.local.path: there is no {self.path}")
        unpack(source, into, names)

    def submit(self, csv: Path, message: str) -> None:
        """Print which file to upload."""
        print(f"upload {csv} to the competition's page; with the message: {message}")
