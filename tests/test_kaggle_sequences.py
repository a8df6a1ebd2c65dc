"""Random sequences of faults and kills: nothing sent twice, nothing half-written, no traceback, no secret.

Those with kills are of processes. `FAULT_SEQUENCES=60 pytest tests/test_kaggle_sequences.py` plays more of both.
"""
# ruff: noqa: F811 - the fixture `served` is imported, and an argument of tests

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT, slow
from tests.kaggle_client import SCORE, kaggle, run_here, served  # noqa: F401
from tests.kaggle_server import DOWNLOAD, SECRETS, SUBMIT, TOKEN, Kaggle, lay_out

COUNT = os.environ.get("FAULT_SEQUENCES")
WITHOUT_KILLS = [(False, seed) for seed in range(int(COUNT or 6))]
WITH_KILLS = [(True, seed) for seed in range(int(COUNT or 2))]
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
Stage = tuple[str, ...]
Run = Callable[..., str]


def kill(run: "subprocess.Popen[str]", chance: random.Random) -> None:
    """Kill the run, the process in which its client works, or both, by one of the signals."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        children: list[psutil.Process] = psutil.Process(run.pid).children(recursive=True)
        number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
        victims = chance.choice([[run], children, [*children, run]])
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(number)


def plan(kaggle: Kaggle, chance: random.Random, requests: tuple[str, ...]) -> None:
    """Let up to three kinds of request fail, up to three times in a row, after up to two that succeed."""
    kaggle.chance = chance
    for request in chance.sample(requests, chance.randint(1, min(3, len(requests)))):
        places: list[int | str | None] = [None] * chance.randint(0, 2)
        faults = chance.choices(ANSWERS[request], k=chance.randint(1, 3))
        kaggle.faults[request] = [*places, *faults, None]


@pytest.fixture
def run(
    request: pytest.FixtureRequest, kills: bool, served: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Return a function that runs a stage in a folder with all that it reads."""
    lay_out(tmp_path / "work", served)
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    if not kills:
        request.getfixturevalue("kaggle")

    def run(stage: tuple[str, ...], seconds: float, chance: random.Random | None = None) -> str:
        monkeypatch.setenv("KAGGLE_DEADLINE_MINUTES", str(seconds / 60))
        if not kills:
            return run_here(monkeypatch, *stage, fails=None if chance else False)
        with subprocess.Popen(
            [sys.executable, *stage[1:]],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        ) as running:  # fmt: skip
            if chance:
                time.sleep(chance.uniform(0.2, 3.0))
                kill(running, chance)
            output = running.communicate(timeout=120)[0]
        assert chance or running.returncode == 0, output
        return output

    return run


@pytest.mark.parametrize(("kills", "seed"), [*WITHOUT_KILLS, *slow(*WITH_KILLS)])
@pytest.mark.parametrize("stage", [DOWNLOAD, SUBMIT], ids=["download", "submit"])
def test_a_sequence_of_faults(
    served: Kaggle, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Stage, kills: bool, seed: int
) -> None:
    chance = random.Random(f"{stage[2]} {seed}")
    seconds = 5.0 if kills else 0.5
    requests = tuple(ANSWERS)[1:3] if stage is DOWNLOAD else tuple(ANSWERS)[3:]
    if chance.random() < 0.3:
        monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
        requests = ("IntrospectToken", *requests)
    outputs = []
    for _ in range(chance.randint(1, 2)):
        plan(served, chance, requests)
        served.takes = chance.choice([0.0, 0.0, seconds / 10])
        served.pending = chance.choice([0, 0, 1, 100])
        served.odd[:] = chance.sample(ODD, chance.choice([0, 0, 3]))
        outputs.append(run(stage, seconds, chance))
        assert not (raw := Path("data/raw")).exists() or len(list(raw.iterdir())) == 3
    served.faults.clear()
    for submission in served.submissions:
        submission.pending = 0
    served.pending = 0
    for _ in range(2):
        outputs.append(run(stage, 60))
        if stage is SUBMIT:
            assert json.loads(Path("metrics/submit.json").read_text(encoding="utf-8")) == {"public_score": SCORE}
            assert len(served.submissions) == 1, outputs
        else:
            assert {file.name: file.read_bytes() for file in raw.iterdir()} == served.competition.files

    assert not any("Traceback" in output for output in outputs), outputs
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    for secret in SECRETS:
        assert not any(secret in output for output in outputs), outputs
        assert not any(secret.encode() in path.read_bytes() for path in written), written
    assert {path.name for path in written if path.suffix == ".tmp"} <= {".download.lock.tmp"}
