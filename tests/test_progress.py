"""What a person sees of long work: lines in a log, a bar on a terminal, nothing of quick work."""
# ruff: noqa: F811 - fixtures are imported, and arguments of tests

import dataclasses
import os
import pty
import random
import re
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from src.core import arrays, progress
from src.core.progress import Progress, measured
from src.data.competition import csv_files
from src.data.competition.files import FILES
from src.sources import archive
from src.sources.kaggle.source import Source
from tests.competitions import digits
from tests.conftest import ROOT, Project
from tests.kaggle_client import SCORE, kaggle, served  # noqa: F401
from tests.kaggle_server import Kaggle, serve

SHOWN = re.compile(r": [\d,.]+ of [\d,.]+( MB)?(, about|$)|, \d+ (s|min)$")
"""What every line of `measured` holds, and no other line of a run."""


class Clock:
    """The time as `progress` sees it, which stands still unless it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all work be long, and show each of its parts."""
    monkeypatch.setattr(progress, "FIRST", 0.0)
    monkeypatch.setattr(progress, "LONGEST", 0.0)


@pytest.mark.parametrize(
    ("seconds", "left"),
    [(1.2, ["", ""]), (1.25, ["about 15 s left", ""]), (5, ["about 60 s left", ""]), (30, ["about 6 min left", ""])],
)
def test_lines_of_what_takes_long_show_the_time_left(
    seconds: float, left: list[str], clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress("training", 16, "epoch") as steps:
        for epoch in range(1, 17):
            clock.now += seconds
            steps.step("accuracy 0.9" if epoch in (4, 16) else "")
    lines = [f"training: epoch {epoch} of 16, " for epoch in (4, 16)]
    assert capsys.readouterr().out.splitlines() == [
        f"{line}{f'{text}, ' if text else ''}accuracy 0.9" for line, text in zip(lines, left, strict=True)
    ]


def test_work_of_a_known_amount_is_shown_after_five_seconds_and_then_ever_less_often(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with measured("reading train.csv", 400_000_000, "B") as tell:
        for megabytes in range(1, 401):
            clock.now += 1
            tell(megabytes * 1_000_000)
    assert capsys.readouterr().out.splitlines() == [
        "reading train.csv: 5.0 of 400.0 MB, about 7 min left",
        "reading train.csv: 10.0 of 400.0 MB, about 6 min left",
        "reading train.csv: 20.0 of 400.0 MB, about 6 min left",
        "reading train.csv: 40.0 of 400.0 MB, about 6 min left",
        "reading train.csv: 80.0 of 400.0 MB, about 5 min left",
        *(f"reading train.csv: {at}.0 of 400.0 MB, about {left} left" for at, left in [
            (140, "4 min"), (200, "3 min"), (260, "2 min"), (320, "80 s"), (380, "20 s")
        ]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("total", "unit", "done", "line"),
    [
        (None, "", 0, "some work, 40 s"),
        (None, "B", 12_340_000, "some work: 12.3 MB, 40 s"),
        (4_200_000, "", 1_050_000, "some work: 1,050,000 of 4,200,000, about 2 min left"),
        (70_000, "", 0, "some work: 0 of 70,000"),
        (70_000, "", 70_000, "some work: 70,000 of 70,000"),
    ],
)
def test_a_line_says_what_is_known(
    total: int | None, unit: str, done: int, line: str, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with measured("some work", total, unit) as tell:
        clock.now += 40
        tell(done)
    assert capsys.readouterr().out == f"{line}\n"
    assert SHOWN.search(line)


def test_the_amount_may_become_known_later(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with measured("downloading", unit="B") as tell:
        clock.now += 5
        tell(0, None)
        clock.now += 5
        tell(1_000_000, 3_000_000)
    assert capsys.readouterr().out.splitlines() == [
        "downloading: 0.0 MB, 5 s", "downloading: 1.0 of 3.0 MB, about 20 s left"
    ]  # fmt: skip


@pytest.mark.parametrize("label", ["quick", ""])
def test_quick_work_and_work_without_a_label_show_nothing(
    label: str, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    with measured(label, 100) as tell:
        for count in range(100):
            clock.now += 0.049 if label else 60
            tell(count)
    assert capfd.readouterr() == ("", "")


ON_A_TERMINAL = """
import time
from src.core import progress
progress.FIRST = {first}
with progress.measured("reading train.csv", 4_000_000, "B") as tell:
    for count in range(1, 5):
        time.sleep(0.12)
        tell(count * 1_000_000)
with progress.measured("submission 1234 is pending") as tell:
    for count in range(4):
        tell(0)
        time.sleep(0.12)
with progress.Progress("training", 2, "epoch") as steps:
    steps.step("accuracy 0.9")
    steps.step("accuracy 0.9")
"""


def on_a_terminal(code: str) -> str:
    """Return what a terminal is sent by code that runs there."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    shown = b""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        with suppress(OSError):  # Linux says so that the other end is closed
            while block := os.read(ours, 2**16):
                shown += block
    os.close(ours)
    assert process.returncode == 0, shown.decode()
    return shown.decode()


def test_a_terminal_has_a_bar_of_long_work_and_keeps_nothing_of_it() -> None:
    shown = on_a_terminal(ON_A_TERMINAL.format(first=0.1))
    assert re.search(r"\rreading train\.csv: +\d+%\|.*\| [\d.]+M/4\.00M \[", shown)
    assert re.search(r"\rsubmission 1234 is pending, 00:0\d", shown)
    assert re.search(r"\rtraining: +\d+%\|.*/2 \[", shown)
    assert "\n" not in shown
    quick = on_a_terminal(ON_A_TERMINAL.format(first=60))
    assert "reading" not in quick and "pending" not in quick and "training" in quick


@pytest.mark.usefixtures("at_once")
def test_a_file_is_measured_by_its_bytes_whoever_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.csv"
    path.write_text("label,pixel0\n" + "".join(f"{row % 10},{row % 256}\n" for row in range(500_000)))
    megabytes = f"{path.stat().st_size / 1e6:.1f}"
    readers: list[Callable[[], Iterable[object]]] = [
        lambda: csv_files.read(path, ("pixel0",)),
        lambda: csv_files.texts(path),
    ]
    for read in readers:
        assert len([*read()]) > 0
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("reading")]
        found = [float(line.split(": ")[1].split()[0]) for line in lines]
        assert found == sorted(found) and len({*found}) > 3
        assert lines[-1] == f"reading train.csv: {megabytes} of {megabytes} MB"
    assert len([*csv_files.texts(path, shown=False)]) == 500_000
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("at_once")
def test_rows_are_measured_by_their_number(capsys: pytest.CaptureFixture[str]) -> None:
    images = np.zeros((2500, 2, 2))
    assert len(arrays.load(images, "loading the images")) == 2500
    assert [line.partition(", about")[0] for line in capsys.readouterr().out.splitlines()] == [
        f"loading the images: {count} of 2,500" for count in ("1,024", "2,048", "2,500")
    ]
    assert len(arrays.load(images)) == 2500
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("at_once")
def test_unpacking_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.zip").write_bytes(digits().zipped)
    (tmp_path / "raw").mkdir()
    archive.unpack(tmp_path / "a.zip", tmp_path / "raw", FILES)
    printed = capsys.readouterr().out
    for name in FILES:
        size = f"{len(digits().files[name]) / 1e6:.1f}"
        assert f"unpacking {name}: {size} of {size} MB\n" in printed


def test_a_slow_download_says_how_much_has_come_and_how_long_it_may_take(
    served: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "FIRST", 0.5)
    monkeypatch.setattr(progress, "LONGEST", 0.0)
    noise = random.Random(0).randbytes(6_000_000)  # Kaggle's client writes a file in blocks of 2**20 bytes
    large = dataclasses.replace(digits(), files=dict(digits().files) | {"noise": noise})
    (tmp_path / "raw").mkdir()
    with serve(large) as slow:
        slow.sends = 3.5
        for name, value in slow.environment.items():
            monkeypatch.setenv(name, value)
        Source(competition="small-digits").download(tmp_path / "raw", FILES)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("downloading")]
    amounts = re.compile(r"downloading from Kaggle: (\d\.\d) of 6\.\d MB(, about \d+ s left)?")
    known = [match for line in lines if (match := amounts.fullmatch(line))]
    found = [float(match[1]) for match in known]
    assert len({*found}) >= 2 and found == sorted(found)
    assert any(match[2] for match in known)
    assert all(match or re.fullmatch(r"downloading from Kaggle: 0\.0 MB, \d+ s", line)
               for line in lines for match in [amounts.fullmatch(line)])  # fmt: skip
    assert (tmp_path / "raw/train.csv").read_bytes() == digits().files["train.csv"]


def test_a_request_that_hangs_is_shown(
    served: Kaggle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "FIRST", 0.5)
    served.fail({"ListSubmissions": ["hang", None]})

    def release() -> None:
        served.wait_for("ListSubmissions")
        time.sleep(1.5)
        served.released.set()

    threading.Thread(target=release).start()
    assert Source(competition="small-digits").earlier() == []
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(re.fullmatch(r"asking Kaggle for the submissions, \d+ s", line) for line in lines)


def test_a_submission_that_is_pending_is_shown_with_how_long_it_has_been(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "FIRST", 0.1)
    kaggle.pending = 5
    assert Source(competition="small-digits").submit(tmp_path / "submission.csv", "a message") == SCORE
    lines = capsys.readouterr().out.splitlines()
    number = kaggle.submissions[0].ref
    assert 1 <= len(lines) <= 4
    assert all(re.fullmatch(rf"submission {number} is pending, \d+ s", line) for line in lines)


def test_a_quick_run_shows_none_of_it(finished: Project) -> None:
    printed = (finished.root.parent.parent / "first-run.txt").read_text()
    assert "Running stage 'draw'" in printed
    assert [line for line in printed.splitlines() if SHOWN.search(line)] == []
