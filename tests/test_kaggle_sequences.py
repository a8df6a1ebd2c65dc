"""Random sequences of faults and kills: nothing sent twice, nothing half-written, no traceback, no secret.

`FAULT_SEQUENCES=60 pytest tests/test_kaggle_sequences.py -m slow` plays more of them than the budget.
"""
# ruff: noqa: F811 - the fixture `kaggle` is imported, and an argument of tests

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.kaggle_server import DOWNLOAD, SECRETS, SUBMIT, TOKEN, Kaggle, lay_out
from tests.test_kaggle_once import kaggle  # noqa: F401

SEEDS = range(int(os.environ.get("FAULT_SEQUENCES", "3")))
FAULTS = (400, 401, 403, 404, 408, 409, 429, 500, 503, "drop", "garbage", "nonsense", "broken")
ANSWERS = {
    "IntrospectToken": FAULTS,
    "DownloadDataFiles": FAULTS,
    "file": (*FAULTS, "short", "html"),
    "ListSubmissions": FAULTS,
    "StartSubmissionUpload": FAULTS,
    "upload": FAULTS,
    "CreateSubmission": (*FAULTS, "late 400", "late 408", "late 429", "late 500", "late drop", "late garbage"),
}
ODD: list[object] = ["text", 7, None, {"ref": 2}, {"ref": "x", "status": 3, "description": 4, "publicScore": [1]}]


def start(folder: Path, stage: tuple[str, ...], seconds: float) -> "subprocess.Popen[str]":
    variables = {"KAGGLE_DEADLINE_MINUTES": str(seconds / 60), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, *stage[1:]],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env=os.environ | variables,
    )  # fmt: skip


def kill(run: "subprocess.Popen[str]", chance: random.Random) -> None:
    """Kill the run, the process in which its client works, or both, by one of the signals."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        children: list[psutil.Process] = psutil.Process(run.pid).children(recursive=True)
        number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
        victims = chance.choice([[run], children, [*children, run]])
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(number)


def end(run: "subprocess.Popen[str]") -> str:
    output = run.communicate(timeout=120)[0]
    assert "Traceback" not in output, output
    return output


def plan(kaggle: Kaggle, chance: random.Random, requests: tuple[str, ...]) -> None:
    """Let up to three kinds of request fail, up to three times in a row, after up to two that succeed."""
    kaggle.chance = chance
    for request in chance.sample(requests, chance.randint(1, min(3, len(requests)))):
        places: list[int | str | None] = [None] * chance.randint(0, 2)
        faults = chance.choices(ANSWERS[request], k=chance.randint(1, 3))
        kaggle.faults[request] = [*places, *faults, None]


@pytest.fixture
def folder(kaggle: Kaggle, tmp_path: Path) -> Path:
    """Return a folder with all that the two stages read."""
    lay_out(tmp_path / "work", kaggle)
    return tmp_path / "work"


def assert_clean(folder: Path, outputs: list[str]) -> None:
    """Check that no secret was told or written, and that nothing half-written is left."""
    written = [path for path in folder.parent.rglob("*") if path.is_file()]
    for secret in SECRETS:
        assert not any(secret in output for output in outputs), outputs
        assert not any(secret.encode() in path.read_bytes() for path in written), written
    assert {path.name for path in written if path.suffix == ".tmp"} <= {".download.lock.tmp"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("stage", [DOWNLOAD, SUBMIT], ids=["download", "submit"])
def test_a_sequence_of_faults(
    kaggle: Kaggle,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: tuple[str, ...],
    seed: int,
) -> None:
    chance = random.Random(f"{stage[2]} {seed}")
    requests = tuple(ANSWERS)[1:3] if stage is DOWNLOAD else tuple(ANSWERS)[3:]
    if chance.random() < 0.3:
        monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
        requests = ("IntrospectToken", *requests)
    outputs = []
    for _ in range(chance.randint(1, 2)):
        plan(kaggle, chance, requests)
        kaggle.takes = chance.choice([0.0, 0.0, 0.5])
        kaggle.pending = chance.choice([0, 0, 1, 100])
        kaggle.odd[:] = chance.sample(ODD, chance.choice([0, 0, 3]))
        with start(folder, stage, seconds=5) as run:
            if chance.random() < 0.6:
                time.sleep(chance.uniform(0.2, 3.0))
                kill(run, chance)
            outputs.append(end(run))
        assert not (raw := folder / "data" / "raw").exists() or len(list(raw.iterdir())) == 3
    kaggle.faults.clear()
    for submission in kaggle.submissions:
        submission.pending = 0
    kaggle.pending = 0
    for _ in range(2):
        with start(folder, stage, seconds=60) as run:
            outputs.append(end(run))
        assert run.returncode == 0, outputs
        if stage is SUBMIT:
            assert json.loads((folder / "metrics/submit.json").read_text()) == {"public_score": 0.12}
            assert len(kaggle.submissions) == 1, outputs
        else:
            files = {path.name: path.read_bytes() for path in (folder / "data" / "raw").iterdir()}
            assert files == kaggle.competition.files
    assert_clean(folder, outputs)
