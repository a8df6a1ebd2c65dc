"""The interface of a source to the stages `download` and `submit`, and the source that params.yaml selects.

A source is the class `Source` in `src/sources/<name>/source.py`. The class is also its section of params.yaml.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from src.core import params
from src.core.errors import UserError
from src.core.params import Section

SCORE = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?", re.ASCII)
"""How a source writes a public score."""


class Refused(UserError):  # noqa: N818 - what happened is a refusal
    """The source does not accept the predictions now, or has no score for them yet; a later run may succeed."""


@dataclass(frozen=True)
class Sent:
    """An earlier submission.

    Attributes:
        message: the text sent with it.
        failed: whether the source could not score it.
        date: when the source took it, in ISO format, UTC; empty if unknown.
        score: the public score as the source writes it; a number only where it is a `SCORE`.
    """

    message: str
    failed: bool
    date: str = ""
    score: str = ""


class Source(Protocol):
    """What `download` and `submit` require of a source."""

    @property
    def lock(self) -> Path:
        """The file to lock while predictions are sent."""

    @property
    def label(self) -> str:
        """The column of `train.csv` to learn; empty where it can be found in the files."""

    def download(self, into: Path, names: Sequence[str]) -> None:
        """Put the files `names`, or a zip that holds them, into the empty folder `into`.

        Raises:
            UserError: they cannot be fetched; the text says why and what to do.
        """

    def earlier(self) -> list[Sent]:
        """Return all earlier submissions, the latest first.

        Raises:
            Refused: the source does not list them; the text says why and what to do.
        """

    def submit(self, csv: Path, message: str) -> float | None:
        """Return the public score of the predictions in `csv`, sending them unless the message was sent before.

        None if the source cannot score; it has then said what to do.

        Raises:
            Refused: the submission failed; the text says why and what to do.
        """


class Offline(Section):
    """What the sources without a service have in common."""

    @property
    def lock(self) -> Path:
        """One for the project."""
        return Path(".submit.lock.tmp")

    def earlier(self) -> list[Sent]:
        """Return an empty list: nothing keeps a record of submissions."""
        return []


def selected() -> Source:
    """Return the source that the key `source` of params.yaml selects, with its settings.

    Raises:
        UserError: there is no such source, or a setting is wrong.
    """
    name = params.get("source", str)
    settings = params.get(f"sources.{name}", dict)
    kind = import_module(f"src.sources.{name}.source").Source
    return cast(Source, params.validate(settings, kind, ["sources", name]))
