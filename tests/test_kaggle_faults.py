"""The fault table: what goes wrong at Kaggle, what a person reads, what is on disk, what Kaggle counts."""
# ruff: noqa: F811 - fixtures are imported, and arguments of tests

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from src.core import params
from tests.competitions import digits
from tests.conftest import ROOT, Project, slow
from tests.kaggle_client import SCORE, kaggle, run_here, served  # noqa: F401
from tests.kaggle_server import DOWNLOAD, SECRETS, SUBMIT, TOKEN, Kaggle, Submission, lay_out, serve

Faults = dict[str, list[int | str | None]]


@dataclass
class Stages:
    """A folder in which the two stages can run against the server."""

    root: Path
    kaggle: Kaggle
    monkeypatch: pytest.MonkeyPatch
    record: Callable[[str, object], None]
    fault: str

    def fail(self, faults: Faults) -> None:
        """Let requests fail, and say so in the fault table."""
        self.kaggle.fail(faults)
        in_words = {request: ", ".join(map(str, ones)).replace("None", "none") for request, ones in faults.items()}
        self.fault = "; ".join(f"{request}: {ones}" for request, ones in in_words.items())

    def run(self, *command: str, seconds: float = 60.0, fails: bool = False) -> str:
        """Run a stage in this process, record a row of the fault table, and return what the stage printed."""
        self.monkeypatch.setenv("KAGGLE_DEADLINE_MINUTES", str(seconds / 60))
        return self._recorded(run_here(self.monkeypatch, *command, fails=fails))

    def run_process(self, *command: str, fails: bool = False) -> str:
        """Do so as DVC does, with a client that has six seconds."""
        waiting = {"KAGGLE_DEADLINE_MINUTES": "0.1", "KAGGLE_LISTING_MINUTES": "0.03"}
        return self._recorded(Project(self.root, {"PYTHONPATH": str(ROOT)} | waiting).run(*command, fails=fails))

    def refused(self, *command: str, said: str, seconds: float = 0.3, process: bool = False) -> str:
        """Run a stage that ends with a sentence, without a traceback, what the client prints, secrets and effects."""
        downloading = command != SUBMIT
        before = self.files() - {"metrics/submit.json"}
        run = self.run_process if process else lambda *words, fails: self.run(*words, seconds=seconds, fails=fails)
        output = run(*command, fails=downloading)
        last = output.splitlines()[-1]
        assert last.startswith("error: ") and said in last, output
        assert "Traceback" not in output and "kaggle auth login" not in output
        texts = [output.encode(), *(file.read_bytes() for file in self.root.rglob("*") if file.is_file())]
        assert not any(secret.encode() in text for secret in SECRETS for text in texts)
        assert self.files() == before | {".download.lock.tmp" if downloading else "metrics/submit.json"}
        if not downloading:
            assert self.metrics() == {"refused": 1}
            written = params.load_yaml((self.root / "metrics/refusals.yaml").read_text())
            assert written["refusals"] >= 1 and written["reason"]
        return output

    def files(self) -> set[str]:
        """Return the names of all files."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}

    def metrics(self) -> Mapping[str, float]:
        """Return what `submit` wrote."""
        written: Mapping[str, float] = json.loads((self.root / "metrics/submit.json").read_text())
        return written

    def sent_once(self) -> bool:
        """Return whether the predictions have their score, and count once."""
        return self.metrics() == {"public_score": SCORE} and len(self.kaggle.submissions) == 1

    def _recorded(self, output: str) -> str:
        submitting = {"ListSubmissions", "StartSubmissionUpload"} & {*self.kaggle.requests}
        downloaded = "the files" if (self.root / "data/raw").exists() else "nothing"
        on_disk = " ".join(re.sub(r'[{}"]', "", str(self.metrics())).split()) if submitting else downloaded
        row = {"stage": "submit" if submitting else "download", "fault": self.fault, "on disk": on_disk}
        for column, value in row.items():
            self.record(column, value)
        self.record("counted", len(self.kaggle.submissions))
        self.record("message", (output.splitlines() or ["-"])[-1])
        return output


@pytest.fixture
def stages(
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
    served: Kaggle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Stages:
    lay_out(tmp_path / "project", served)
    monkeypatch.chdir(tmp_path / "project")
    fault = request.node.originalname.removeprefix("test_").replace("_", " ")
    return Stages(tmp_path / "project", served, monkeypatch, record_property, fault)


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"DownloadDataFiles": [401]}, "rejected the credentials"),
        ({"DownloadDataFiles": [403]}, "https://www.kaggle.com/competitions/small-digits/rules"),
        ({"DownloadDataFiles": [404]}, "no competition 'small-digits'"),
        ({"DownloadDataFiles": [418]}, "(HTTP 418): what the service says about 418"),
        ({"DownloadDataFiles": [429]}, "takes no more requests for now"),
        ({"DownloadDataFiles": [500]}, "Kaggle has an internal error (HTTP 500)"),
        ({"DownloadDataFiles": ["drop"]}, "the connection to Kaggle failed"),
        ({"file": ["drop"]}, "the connection to Kaggle failed"),
        ({"file": [401]}, "the storage with Kaggle's files refused the request (HTTP 401)"),
        ({"file": [404]}, "the storage with Kaggle's files refused the request (HTTP 404)"),
        ({"file": [500]}, "the storage with Kaggle's files refused the request (HTTP 500)"),
        ({"file": ["short"]}, "small-digits.zip: not a valid zip file"),
        ({"file": ["html"]}, "small-digits.zip: not a valid zip file"),
    ],
    ids=str,
)
def test_a_download_that_fails(kaggle: Kaggle, stages: Stages, faults: Faults, said: str) -> None:
    stages.fail(faults)
    stages.refused(*DOWNLOAD, said=said)


@pytest.mark.parametrize(
    "faults",
    [
        {"DownloadDataFiles": [500, 429, None]},
        {"DownloadDataFiles": ["drop", None]},
        {"file": ["drop", None]},
        {"file": ["drop", 403, 403, None]},
        {"file": [403, 403, None]},
        {"file": ["short", None]},
        {"file": ["short", "html", None]},
    ],
    ids=str,
)
def test_a_download_that_recovers(kaggle: Kaggle, stages: Stages, faults: Faults) -> None:
    stages.fail(faults)
    stages.run(*DOWNLOAD)
    assert {file.name: file.read_bytes() for file in Path("data/raw").iterdir()} == kaggle.competition.files


@pytest.mark.parametrize(
    ("blocks", "said"), [(50, "error: data/raw: File too large"), *slow((20, "the disk cannot be written"))]
)
def test_a_disk_that_is_full(stages: Stages, blocks: int, said: str) -> None:
    # the largest file that can be written, in KiB, stands for the room that is left
    stages.fault = f"room for files of {blocks} KiB alone"
    command = f"ulimit -f {blocks}; exec {' '.join(DOWNLOAD)}"
    output = stages.refused("bash", "-c", command, said=said, process=True)
    assert "File too large; make room" in output
    assert "trying again" not in output


def test_no_credentials(stages: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_USERNAME"), monkeypatch.delenv("KAGGLE_KEY")
    told = "https://www.kaggle.com/settings/api and give it in the variable KAGGLE_API_TOKEN"
    stages.refused(*DOWNLOAD, said=told, process=True)


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"IntrospectToken": [403]}, "does not know the token in KAGGLE_API_TOKEN"),
        ({"IntrospectToken": [401]}, "rejected the credentials"),
        ({"DownloadDataFiles": [403]}, "accept the rules"),
    ],
    ids=str,
)
def test_a_token(kaggle: Kaggle, stages: Stages, faults: Faults, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_USERNAME"), monkeypatch.delenv("KAGGLE_KEY")
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    stages.fail(faults)
    stages.refused(*DOWNLOAD, said=said)


def test_no_network(kaggle: Kaggle, stages: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(digits()) as closed:
        pass
    for name, value in closed.environment.items():
        monkeypatch.setenv(name, value)
    output = stages.refused(*DOWNLOAD, said="the connection to Kaggle failed", seconds=2)
    assert "trying again in" in output


@pytest.mark.slow
@pytest.mark.parametrize("hanging", ["IntrospectToken", "DownloadDataFiles", "file", "ListSubmissions"])
def test_what_does_not_answer(stages: Stages, hanging: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    stages.fail({hanging: ["hang"]})
    command = SUBMIT if hanging == "ListSubmissions" else DOWNLOAD
    stages.refused(*command, said="did not answer in time", process=True)


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"ListSubmissions": [403]}, "https://www.kaggle.com/competitions/small-digits/rules"),
        ({"StartSubmissionUpload": [404]}, "what the service says about 404; likely causes: the competition is closed"),
        ({"upload": [403]}, "refused the upload"),
        ({"upload": [500]}, "refused the upload"),
        ({"CreateSubmission": [400]}, "(HTTP 400): what the service says about 400"),
    ],
    ids=str,
)
def test_a_submission_that_fails(kaggle: Kaggle, stages: Stages, faults: Faults, said: str) -> None:
    stages.fail(faults)
    stages.refused(*SUBMIT, said=said)
    assert kaggle.submissions == []


@pytest.mark.parametrize(
    ("faults", "said", "counted"),
    [
        ({"CreateSubmission": [500]}, "not known whether it counts", 0),
        ({"CreateSubmission": [429]}, "not known whether it counts", 0),
        ({"CreateSubmission": ["late 500"], "ListSubmissions": [None, None, 403]}, "its rules are not accepted", 1),
    ],
    ids=str,
)
def test_a_submission_in_doubt(kaggle: Kaggle, stages: Stages, faults: Faults, said: str, counted: int) -> None:
    stages.fail(faults)
    stages.refused(*SUBMIT, said=said)
    assert len(kaggle.submissions) == counted
    kaggle.faults.clear()
    run_here(stages.monkeypatch, *SUBMIT)
    assert stages.sent_once()


@pytest.mark.parametrize(
    "faults",
    [
        {"StartSubmissionUpload": [500, None]},
        {"StartSubmissionUpload": ["drop", None]},
        {"CreateSubmission": ["late 429"]},
        {"CreateSubmission": ["late 408"]},
        {"CreateSubmission": ["late 500"]},
        {"CreateSubmission": ["late drop"]},
        {"ListSubmissions": [None, None, 500, None]},
    ],
    ids=str,
)
def test_a_submission_that_recovers(kaggle: Kaggle, stages: Stages, faults: Faults) -> None:
    kaggle.pending = 1
    stages.fail(faults)
    stages.run(*SUBMIT)
    assert stages.sent_once()


@pytest.mark.slow
def test_a_submission_that_hangs_is_found(stages: Stages) -> None:
    stages.fail({"CreateSubmission": ["late hang"]})
    assert "did not answer in time" in stages.run_process(*SUBMIT)
    assert stages.sent_once()


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (False, "the day's submissions are used up; try again after midnight UTC"),
        (True, "no submission to this competition is left"),
    ],
)
def test_submissions_are_used_up(kaggle: Kaggle, stages: Stages, total: bool, said: str) -> None:
    stages.fault = "the submissions of all days are used up" if total else "the day's submissions are used up"
    kaggle.daily, kaggle.total = 1, total
    kaggle.submissions.append(Submission(1, "sent by hand", 0.5))
    stages.refused(*SUBMIT, said=said)
    assert len(kaggle.submissions) == 1


def test_a_submission_that_ends_in_error_in_two_runs(kaggle: Kaggle, stages: Stages) -> None:
    kaggle.error = "ImageId 7 is missing"
    for _ in range(2):
        stages.refused(*SUBMIT, said="ImageId 7 is missing")
        assert len(kaggle.submissions) == 1


def test_a_score_that_does_not_come_is_picked_up_by_the_next_run(kaggle: Kaggle, stages: Stages) -> None:
    kaggle.pending = 1000
    stages.refused(*SUBMIT, said="Kaggle has had submission ")
    kaggle.submissions[0].pending = 0
    run_here(stages.monkeypatch, *SUBMIT)
    assert stages.sent_once()
