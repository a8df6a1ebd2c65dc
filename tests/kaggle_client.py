"""The server's surroundings, and the real client in the test's own process, where no process is what is tested."""

import io
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path

import pytest

from src.core import cli
from src.sources.kaggle import child, client, timing
from tests.competitions import digits
from tests.kaggle_server import Kaggle, serve

SCORE = 0.12
"""Of the sample submission of `digits`: the share of the digit 0 in the answers."""

HASTE = 0.05
"""Seconds of the first pause between two attempts, which is 1 otherwise."""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    """Serve a competition to this process and its children, each request by a process of its own."""
    with serve(digits()) as server:
        waiting = {"KAGGLE_DEADLINE_MINUTES": "1", "KAGGLE_LISTING_MINUTES": "0.05"}
        variables = waiting | {"HOME": str(tmp_path), "XDG_STATE_HOME": ""}
        for name, value in (server.environment | variables).items():
            monkeypatch.setenv(name, value)
        (tmp_path / "submission.csv").write_bytes(server.competition.files["sample_submission.csv"])
        yield server


@pytest.fixture
def kaggle(served: Kaggle, monkeypatch: pytest.MonkeyPatch) -> Kaggle:
    """Serve a competition to this process, in which the client runs as well, and which waits for little."""
    monkeypatch.setattr(child, "ask", ask_here)
    monkeypatch.setattr(timing, "FIRST", HASTE)
    monkeypatch.setenv("KAGGLE_LISTING_MINUTES", "0.003")
    return served


def ask_here(request: str, arguments: Mapping[str, object], seconds: float, lock: Path | None) -> tuple[str, int]:
    """Do what `child.ask` does without a child: there is no deadline, and no lock."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return json.dumps(client.answer(request, json.loads(json.dumps(arguments)))), 0


def run_here(monkeypatch: pytest.MonkeyPatch, *command: str, fails: bool | None = False) -> str:
    """Run `python -m MODULE ARGUMENTS` in this process and folder, and return what it printed.

    Args:
        monkeypatch: sets the command line.
        command: the words of the command.
        fails: whether it has to end with another exit status than 0; None if it may.
    """
    monkeypatch.setattr(sys, "argv", [*command[2:]])
    status: object = 0
    with redirect_stdout(io.StringIO()) as printed, redirect_stderr(printed):
        try:
            cli.run(import_module(command[2]).main)
        except SystemExit as ended:
            status = ended.code
    assert fails is None or bool(status) == fails, printed.getvalue()
    return printed.getvalue()
