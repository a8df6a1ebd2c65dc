"""The source `local`: a zip or a folder that was downloaded in the browser."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from src.core.errors import UserError
from src.core.params import Section
from src.sources.interface import Sent


class Source(Section):
    """Files on this machine; predictions are uploaded by hand.

    Attributes:
        path: the zip, or a folder with the files or with one zip. `download` depends on it, so DVC notices when it
            changes. An experiment that DVC runs in a copy of the project (`--queue`, `--temp`) needs an absolute path.
    """

    path: Annotated[str, Field(min_length=1)]

    @property
    def lock(self) -> Path:
        """One for the project."""
        return Path(".submit.lock.tmp")

    def download(self, into: Path, names: Sequence[str]) -> None:
        """Copy the zip, or the files `names` of the folder, to the folder `into`.

        Raises:
            UserError: nothing of the kind is there.
        """
        source = Path(self.path)
        if not source.exists():
            raise UserError(f"params.yaml: sources.local.path: there is no {source}")
        files = [source / name for name in names] if source.is_dir() else [source]
        if not all(file.exists() for file in files):
            held = sorted(file.name for file in source.iterdir() if file.suffix in (".csv", ".zip"))
            files = [source / name for name in held if name.endswith(".zip")]
            if len(files) != 1:
                raise UserError(
                    f"params.yaml: sources.local.path: expected {', '.join(names)}, or one zip with them, in {source}; "
                    f"it holds {', '.join(held) or 'no CSV file and no zip'}"
                )
        for file in files:
            shutil.copy(file, into)

    def earlier(self) -> list[Sent]:
        """Return an empty list: manual uploads are not recorded here."""
        return []

    def submit(self, csv: Path, message: str) -> None:
        """Print which file to upload."""
        print(f"upload {csv} to the competition's page; a message to go with it: {message}")
