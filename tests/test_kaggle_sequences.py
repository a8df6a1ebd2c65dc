"""Sequences of faults at random calls, with kills: nothing sent twice, no traceback, no secret.

`FAULT_SEQUENCES=60 pytest tests/test_kaggle_sequences.py -m slow` plays more of them than the budget.
"""

import os
import random
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.kaggle_server import SECRETS, Kaggle
from tests.test_kaggle_once import kaggle, start  # noqa: F401 - a fixture

BUDGET = int(os.environ.get("FAULT_SEQUENCES", "6"))
REQUESTS = ("ListSubmissions", "StartSubmissionUpload", "upload", "CreateSubmission")
FAULTS = (400, 401, 403, 404, 408, 409, 429, 500, 503, "drop", "garbage")
LATE = ("late 400", "late 408", "late 429", "late 500", "late drop")


def output_of(run: "subprocess.Popen[str]") -> str:
    output = run.communicate(timeout=120)[0]
    assert not any(secret in output for secret in SECRETS)
    assert "Traceback" not in output
    return output


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(BUDGET))
def test_a_sequence_of_faults(kaggle: Kaggle, tmp_path: Path, seed: int) -> None:  # noqa: F811
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 3)):
        request = chance.choice(REQUESTS)
        known = (*FAULTS, *LATE) if request == "CreateSubmission" else FAULTS
        places: list[int | str | None] = [None] * chance.randint(0, 2)
        kaggle.faults[request] = [*places, chance.choice(known), None]
    kaggle.takes = chance.choice([0.0, 0.0, 0.5])
    kill_after = chance.choice([None, chance.uniform(0.2, 3.0)])
    outputs = []
    with start(tmp_path, "0.08") as first:
        if kill_after:
            time.sleep(kill_after)
            whole = chance.random() < 0.5
            victims = psutil.Process(first.pid).children(recursive=True) if whole and first.poll() is None else []
            for victim in [*victims, first]:
                if victim.pid != first.pid or first.poll() is None:
                    victim.kill()
        outputs.append(output_of(first))
    kaggle.faults.clear()
    for _ in range(2):
        with start(tmp_path, "0.2") as again:
            outputs.append(output_of(again))
    assert outputs[-1].endswith("score 0.12\n"), outputs
    assert len(kaggle.submissions) == 1, outputs
