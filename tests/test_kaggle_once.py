"""Nothing is sent twice: not after a Ctrl-C, not after a kill, not by two runs at once, not by an odd list.

Nor where the message, which stands in that list, was edited.
"""
# ruff: noqa: F811 - fixtures are imported, and arguments of tests

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psutil
import pytest
from filelock import FileLock

from src.sources.interface import Refused
from src.sources.kaggle.child import CLIENT
from src.sources.kaggle.client import PAGE_SIZE
from src.sources.kaggle.source import Source
from src.sources.kaggle.state import KEPT, Intents, Taken
from src.sources.submission import SubmitParams, submit
from tests.conftest import ROOT, slow
from tests.kaggle_client import SCORE, kaggle, served  # noqa: F401
from tests.kaggle_server import KEY, SECRETS, SIGNATURE, TOKEN, Kaggle, Submission

RUN = """
import sys
from collections.abc import Iterator
from pathlib import Path
from src.core import cli
from src.sources.kaggle.source import Source
from src.sources.locking import exclusive
from src.sources.submission import SubmitParams, submit


def main(csv: Path) -> None:
    source = Source(competition="small-digits")
    with exclusive("submit", source.lock):
        print("score", submit(source, csv, 0.5, SubmitParams(when="always")).score)


cli.run(main)
"""


def send(tmp_path: Path) -> float | None:
    return submit(
        Source(competition="small-digits"), tmp_path / "submission.csv", 0.5, SubmitParams(when="always")
    ).score


def refusal(tmp_path: Path) -> str:
    with pytest.raises(Refused) as refused:
        send(tmp_path)
    text = str(refused.value)
    assert "\n" not in text
    assert not any(secret in text for secret in SECRETS)
    return text


def start(tmp_path: Path, folder: Path = ROOT) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", RUN, tmp_path / "submission.csv"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, preexec_fn=heed_signals,
    )  # fmt: skip


def heed_signals() -> None:
    """Undo that a shell lets its background jobs ignore some signals, which their children inherit."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, *slow((signal.SIGTERM,), (signal.SIGHUP,))])
def test_a_signal_to_the_group_while_kaggle_takes_a_submission(
    served: Kaggle, tmp_path: Path, number: signal.Signals
) -> None:
    served.takes = 60.0  # unless it is released
    with start(tmp_path) as first:
        served.wait_for("CreateSubmission")
        os.killpg(first.pid, number)
        assert "Traceback" not in first.communicate()[0]
    with start(tmp_path) as second:
        assert second.stdout is not None
        assert "waiting for it" in second.stdout.readline()
        served.describes = lambda _: "my best"  # the process that saw the submission through has noted its number
        served.released.set()
        output = second.communicate()[0]
    assert output.endswith(f"score {SCORE}\n")
    assert len(served.submissions) == 1


def test_everything_killed_while_kaggle_takes_a_submission(served: Kaggle, tmp_path: Path) -> None:
    served.takes = 20.0  # unless it is released
    with start(tmp_path) as first:
        served.wait_for("CreateSubmission")
        for process in [*psutil.Process(first.pid).children(recursive=True), first]:
            process.kill()
    with start(tmp_path) as second:
        assert second.stdout is not None
        assert "an earlier run ended while it sent these predictions" in second.stdout.readline()
        served.released.set()
        output = second.communicate()[0]
    assert output.endswith(f"score {SCORE}\n")
    assert len(served.submissions) == 1


def test_a_child_that_gets_the_lock_after_its_run_ended_sends_nothing(served: Kaggle, tmp_path: Path) -> None:
    command = [sys.executable, "-m", CLIENT, tmp_path / "lock"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin and child.stdout
        with FileLock(tmp_path / "lock"):  # as the next run does
            child.stdin.close()
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(1.0)
        assert child.stdout.read() == "ready\n"
    assert child.returncode == 0
    assert served.requests == []


def test_a_child_ends_at_its_deadline_without_its_run(
    served: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_DEADLINE_MINUTES", "0.05")
    served.faults["StartSubmissionUpload"] = ["hang"]
    with start(tmp_path) as first:
        served.wait_for("StartSubmissionUpload")
        [child] = psutil.Process(first.pid).children()
        first.kill()
    child.wait(60.0)


@pytest.mark.slow
def test_a_child_that_does_not_end_at_its_deadline_is_killed(
    served: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_DEADLINE_MINUTES", "0.05")
    monkeypatch.setattr("src.sources.kaggle.child.GRACE", 0.5)
    served.faults["StartSubmissionUpload"] = ["hang"]
    before = {*psutil.Process().children()}  # of other tests

    def stop() -> None:
        served.wait_for("StartSubmissionUpload")
        [child] = set(psutil.Process().children()) - before
        child.suspend()

    stopping = threading.Thread(target=stop)
    stopping.start()
    assert "did not answer in time" in refusal(tmp_path)
    stopping.join()


def test_two_runs_in_folders_of_their_own(served: Kaggle, tmp_path: Path) -> None:
    served.takes = 1.0
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with start(tmp_path, folder=folders[0]) as first, start(tmp_path, folder=folders[1]) as second:
        outputs = [run.communicate()[0] for run in (first, second)]
    assert all(output.endswith(f"score {SCORE}\n") for output in outputs)
    assert len(served.submissions) == 1


def test_a_list_that_repeats_its_page(kaggle: Kaggle, tmp_path: Path) -> None:
    assert send(tmp_path) == SCORE
    kaggle.submissions.extend(Submission(ref, f"by hand {ref}", 0.5) for ref in range(1, 4))
    kaggle.repeats = True
    assert "repeats a page" in refusal(tmp_path)
    assert len(kaggle.submissions) == 4


@pytest.mark.parametrize("pages", ["number", "token", "either"])
@pytest.mark.parametrize("count", [PAGE_SIZE + more for more in (-1, 0, 1, 5, PAGE_SIZE)])
def test_a_list_of_full_pages(kaggle: Kaggle, pages: Literal["number", "token", "either"], count: int) -> None:
    kaggle.pages, kaggle.page = pages, 2 * PAGE_SIZE
    kaggle.submissions.extend(Submission(ref, f"by hand {ref}", 0.5) for ref in range(count))
    listed = Source(competition="small-digits").earlier()
    assert [sent.message for sent in listed] == [f"by hand {ref}" for ref in reversed(range(count))]


@pytest.mark.parametrize(("page", "count"), [(PAGE_SIZE, PAGE_SIZE + 1), (2 * PAGE_SIZE, 5 * PAGE_SIZE)])
def test_a_list_that_is_cut(kaggle: Kaggle, page: int, count: int) -> None:
    kaggle.pages, kaggle.page = "cut", page
    kaggle.submissions.extend(Submission(ref, f"by hand {ref}", 0.5) for ref in range(count))
    with pytest.raises(Refused, match="repeats a page"):
        Source(competition="small-digits").earlier()


@pytest.mark.parametrize(
    "describes",
    [
        lambda _: "my best",
        lambda _: "",
        lambda _: None,
        lambda message: message[:40],
        lambda message: message.replace(",", "&#44;"),
        quote,
        str.upper,
    ],
    ids=["edited", "empty", "left out", "cut", "escaped for a page", "escaped for an address", "upper case"],
)
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_a_message_that_is_not_shown_as_it_was_sent(
    kaggle: Kaggle, tmp_path: Path, describes: Callable[[str], str | None], later: bool
) -> None:
    if not later:
        kaggle.describes = describes
    assert send(tmp_path) == SCORE
    kaggle.describes = describes
    assert send(tmp_path) == SCORE
    assert len(kaggle.submissions) == 1


def test_better_compares_with_the_message_that_was_sent(kaggle: Kaggle, tmp_path: Path) -> None:
    Taken("small-digits").add(7, f"validation accuracy 0.900000, sha256 {'0' * 64}")
    kaggle.submissions.append(Submission(7, "my best", 0.9))
    better = SubmitParams(when="better")
    assert submit(Source(competition="small-digits"), tmp_path / "submission.csv", 0.8, better).score is None
    assert len(kaggle.submissions) == 1


@pytest.mark.parametrize("found_by", ["the run that sent it", "the next run"])
def test_a_number_that_the_answer_does_not_give_is_taken_from_the_list(
    kaggle: Kaggle, tmp_path: Path, found_by: str
) -> None:
    kaggle.numbers = False
    assert send(tmp_path) == SCORE
    if found_by == "the next run":  # as on another machine
        (taken,) = tmp_path.rglob("*.taken.json")
        taken.unlink()
        assert send(tmp_path) == SCORE
    kaggle.describes = lambda _: "my best"
    assert send(tmp_path) == SCORE
    assert len(kaggle.submissions) == 1


@pytest.mark.parametrize("content", ["", "{", "[7]", '{"7": 7, "x": null}', "[" * 100_000])
def test_a_damaged_record_stops_no_submission(kaggle: Kaggle, tmp_path: Path, content: str) -> None:
    Taken("small-digits").add(1, "a message")
    Intents("small-digits").record("a message")
    records = list(tmp_path.rglob("small-digits*.json"))
    assert len(records) == 2
    for _ in range(2):
        for record in records:
            record.write_text(content)
        assert send(tmp_path) == SCORE
    kaggle.describes = lambda _: "my best"
    assert send(tmp_path) == SCORE
    assert len(kaggle.submissions) == 1


def test_the_records_do_not_grow_without_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = tmp_path / "digit-recognizer"
    folder.mkdir()
    (folder / "digits.taken.json").write_text(json.dumps(dict.fromkeys(range(1, KEPT + 1), "a message")))
    Taken("digits").add(KEPT + 1, "the latest")
    numbers = list(Taken("digits").messages())
    assert numbers == [str(ref) for ref in range(2, KEPT + 2)]
    # what earlier versions wrote as well
    (folder / "digits.json").write_text(json.dumps({str(number): time.time() - 60 for number in range(KEPT)}))
    intents = Intents("digits")
    assert 60 <= (intents.age("0") or 0) < 120
    intents.record("0")
    intents.record("the latest")
    assert intents.age("1") is None
    assert all((intents.age(message) or 60) < 60 for message in ("0", "the latest"))


@pytest.mark.parametrize("score", ["NaN", "inf", "None", "0,98", " ", "1_0", "\u0661"])
def test_a_score_that_is_no_number(kaggle: Kaggle, tmp_path: Path, score: str) -> None:
    kaggle.score = score
    assert "is complete, with " in refusal(tmp_path)
    kaggle.score = None
    assert send(tmp_path) == SCORE
    assert len(kaggle.submissions) == 1


def test_odd_earlier_submissions_do_not_block(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.odd.extend(
        [{"ref": 1, "status": "WITHDRAWN"}, {"ref": 2}, {"ref": None, "status": None, "publicScore": "None"}, "text", 7,
         {"ref": "x", "status": 3, "description": 4, "publicScore": [1]}]
    )  # fmt: skip
    assert send(tmp_path) == SCORE
    assert len(kaggle.submissions) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_of_equal_submissions_the_complete_one_decides(kaggle: Kaggle, tmp_path: Path, order: int) -> None:
    assert send(tmp_path) == SCORE
    message = kaggle.submissions[0].message
    kaggle.submissions.append(Submission(1, message, None))
    kaggle.submissions[:] = kaggle.submissions[::order]
    assert send(tmp_path) == SCORE
    assert len(kaggle.submissions) == 2


@pytest.mark.slow
def test_what_kaggle_could_not_score_is_sent_by_the_command_in_the_message(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.error = "a failure of ours \x1b[31m"
    told = refusal(tmp_path)
    assert "\x1b" not in told
    assert refusal(tmp_path) == told
    assert len(kaggle.submissions) == 1
    kaggle.submissions[0].score, kaggle.error = None, ""
    command = told[told.index("kaggle competitions submit") :]
    # through a shell, as a person pastes it: the quotes of the message have to be right
    done = subprocess.run(
        [f"{Path(sys.executable).parent}/{command}"], shell=True, env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert send(tmp_path) == SCORE
    assert len(kaggle.submissions) == 2


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"message": "Permission 'competitions.participate' was denied"}},
        {"code": 403, "message": f"see https://storage/x?sig={SIGNATURE}&key={KEY} \x1b[1m {KEY} Bearer {TOKEN}"},
        {"error": f"token={TOKEN}"},
        [],
        "text",
    ],
)
def test_kaggle_s_words_are_told_without_secrets(kaggle: Kaggle, tmp_path: Path, said: object) -> None:
    kaggle.says = said
    kaggle.faults["StartSubmissionUpload"] = [403]
    told = refusal(tmp_path)
    assert "likely causes" in told
    assert "\x1b" not in told
    assert ("participate" in told) == ("participate" in json.dumps(said))


@pytest.mark.parametrize(("wait", "calls"), [("4000", 1), ("1", 2), ("Fri, 01 Jan 2100 00:00:00 GMT", 1)])
def test_retry_after_is_obeyed(kaggle: Kaggle, tmp_path: Path, wait: str, calls: int) -> None:
    kaggle.retry_after, kaggle.faults["StartSubmissionUpload"] = wait, [429, None]
    began = time.monotonic()
    if calls == 1:
        assert "try again after " in refusal(tmp_path)
    else:
        assert send(tmp_path) == SCORE
        assert time.monotonic() - began > 1
    assert kaggle.requests.count("StartSubmissionUpload") == calls


def test_a_score_that_does_not_come_is_told_with_its_age(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_DEADLINE_MINUTES", "0.02")
    kaggle.pending = 1000
    assert " h " in refusal(tmp_path)
    assert kaggle.requests.count("ListSubmissions") < 12


def test_a_poll_reads_down_to_the_submission(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.submissions.extend(Submission(ref, f"by hand {ref}", 0.5) for ref in range(1, 20))
    assert send(tmp_path) == SCORE
    kaggle.requests.clear()
    source = Source(competition="small-digits")
    assert source.submit(tmp_path / "submission.csv", kaggle.submissions[-1].message) == SCORE
    assert kaggle.requests.count("ListSubmissions") == 2


def test_a_line_end_after_the_token_does_no_harm(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", f"{TOKEN}\n")
    assert send(tmp_path) == SCORE


def test_a_home_that_cannot_be_written(served: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/proc/nobody")
    with pytest.raises(Refused, match="set HOME or XDG_STATE_HOME"):
        _ = Source(competition="small-digits").lock
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert "set HOME or KAGGLE_CONFIG_DIR" in refusal(tmp_path)
