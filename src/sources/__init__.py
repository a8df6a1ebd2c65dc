"""Where the files of a competition come from and where predictions go.

Each module beside this one holds one `Source`, which is at once its section of params.yaml.
"""

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from src import params


class Source(Protocol):
    """What `download` and `submit` ask of a source."""

    def download(self, into: Path) -> None:
        """Put the competition's files, or one zip that holds them, into the empty folder `into`.

        Raises:
            UserError: they are not to be had; the text says why and what to do.
        """

    def messages(self) -> list[str]:
        """Return the messages of all earlier submissions that did not end in error, the latest first."""

    def submit(self, csv: Path, message: str) -> float | None:
        """Return the public score of the predictions in `csv`, sending them unless the message was sent before.

        None if the source cannot score; it has then said what to do.

        Raises:
            UserError: the submission failed; the text says why and what to do.
        """


def load() -> Source:
    """Return the source that params.yaml names under `source`, with its settings.

    Raises:
        UserError: there is no such source, or a setting is wrong.
    """
    name = params.load("source", str)
    settings = params.load(f"sources.{name}", dict)
    kind = import_module(f"src.sources.{name}").Source
    return cast(Source, params.check(settings, kind, ["sources", name]))
