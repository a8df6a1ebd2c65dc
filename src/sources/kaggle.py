"""The source `kaggle`: the official client. Credentials come from Kaggle's own places, never from params.yaml."""

from pathlib import Path
from typing import Any

from src.errors import UserError
from src.params import Section


class Source(Section):
    """A competition on kaggle.com.

    Attributes:
        competition: its name, as in the address of its page.
    """

    competition: str

    def download(self, into: Path) -> None:
        """Put the competition's zip into the folder `into`."""
        _client().competition_download_files(self.competition, path=into, force=True, quiet=True)

    def messages(self) -> list[str]:
        """Return the messages of the latest submissions, the latest first."""
        return [found.description for found in _client().competition_submissions(self.competition)]

    def submit(self, csv: Path, message: str) -> None:
        """Send the predictions in `csv`."""
        reply = _client().competition_submit(csv, message, self.competition)
        if not reply.ref:
            raise UserError(f"Kaggle refused the submission: {reply.message}")


def _client() -> Any:
    # importing the client authenticates, prints and goes to the network: only for this source, and only when used
    from kaggle import api

    return api
