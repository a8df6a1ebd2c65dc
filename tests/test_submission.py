"""The policy: what is worth a submission."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dvc.utils.serialize import load_yaml

from src.sources.interface import Sent
from src.sources.submission import Refusals, SubmitParams, submit


@dataclass
class Account:
    """A source that remembers: its messages, the latest first, are what was sent."""

    sent: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def download(self, into: Path, names: Sequence[str]) -> None:
        """Have no files."""

    @property
    def lock(self) -> Path:
        """Have a lock that nobody takes."""
        return Path("lock")

    def earlier(self) -> list[Sent]:
        """Return what was sent."""
        return [Sent(message, message in self.failed) for message in self.sent]

    def submit(self, csv: Path, message: str) -> float:
        """Send what was not sent before; a score is 0.5."""
        if message not in self.sent:
            self.sent.insert(0, message)
        return 0.5


def send(account: Account, csv: Path, content: str, accuracy: float, when: str = "better") -> float | None:
    csv.write_text(content, encoding="utf-8")
    return submit(account, csv, accuracy, SubmitParams.model_validate({"when": when})).score


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "submission.csv"


def test_the_message_holds_the_accuracy_and_the_hash_of_the_file(csv: Path) -> None:
    account = Account()
    send(account, csv, "predictions", 0.9125)
    assert account.sent == [f"validation accuracy 0.912500, sha256 {hashlib.sha256(b'predictions').hexdigest()}"]


def test_better_sends_only_what_beats_every_earlier_submission(csv: Path) -> None:
    account = Account(["validation accuracy is what I like", "by hand, 0.99"])
    assert send(account, csv, "first", 0.8) == 0.5
    assert send(account, csv, "better", 0.9) == 0.5
    assert send(account, csv, "worse than one of them", 0.85) is None
    assert send(account, csv, "equal", 0.9) is None
    assert send(account, csv, "equal but for what rounding leaves", 0.9000004) is None
    assert len(account.sent) == 4


def test_always_and_never_do_as_they_say(csv: Path) -> None:
    account = Account()
    assert send(account, csv, "good", 0.9, "never") is None
    assert send(account, csv, "good", 0.9, "always") == 0.5
    assert send(account, csv, "bad", 0.1, "always") == 0.5
    assert len(account.sent) == 2


@pytest.mark.parametrize("when", ["better", "always"])
@pytest.mark.parametrize("accuracy", [0.8, 0.9])
def test_equal_predictions_are_sent_once(csv: Path, when: str, accuracy: float) -> None:
    account = Account()
    send(account, csv, "the same", 0.8)
    send(account, csv, "better", 0.85)
    assert send(account, csv, "the same", accuracy, when) == 0.5
    assert len(account.sent) == 2


@pytest.mark.parametrize("reason", ["", 'it\'s "5": # é \\', "an emoji \N{GRINNING FACE}"])
def test_refusals_are_read_as_they_were_written_and_as_dvc_reads_them(reason: str, tmp_path: Path) -> None:
    refusals = Refusals(refusals=3, reason=reason)
    refusals.write(tmp_path / "refusals.yaml")
    assert Refusals.read(tmp_path / "refusals.yaml") == refusals
    assert load_yaml(tmp_path / "refusals.yaml") == refusals.model_dump()
