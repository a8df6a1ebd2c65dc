"""The fault table: what goes wrong at Kaggle, what a person reads, what is on disk, what Kaggle counts."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.competitions import digits
from tests.conftest import Project
from tests.kaggle_server import SECRETS, TOKEN, Kaggle, Submission, serve

DOWNLOAD = ("python", "-m", "stages.download", "data/raw", "metrics/download.json")
SUBMIT = ("python", "-m", "stages.submit", "data/predictions/submission.csv", "metrics/evaluate.json",
          "metrics/submit.json", "metrics/refusals.yaml", "0")  # fmt: skip
SCORE = 0.12
"""Of the predictions that `ready` writes: the share of the digit 0 in the answers."""

Faults = dict[str, list[int | str | None]]


@pytest.fixture(scope="module")
def _server() -> Iterator[Kaggle]:
    with serve(digits()) as kaggle:
        yield kaggle


@pytest.fixture
def kaggle(_server: Kaggle) -> Kaggle:
    _server.reset()
    return _server


@pytest.fixture
def ready(project: Project, kaggle: Kaggle) -> Project:
    """Return a project with predictions to submit to the server."""
    home = project.root.parent / "home"
    home.mkdir()
    project.environment = kaggle.environment | {"HOME": str(home), "XDG_STATE_HOME": "", "KAGGLE_DEADLINE_MINUTES": "2"}
    project.set({"source": "kaggle", "sources.kaggle.competition": "small-digits"})
    project.commit()
    (project.root / "data/predictions").mkdir()
    predictions = kaggle.competition.files["sample_submission.csv"]
    (project.root / "data/predictions/submission.csv").write_bytes(predictions)
    return project


@pytest.fixture
def impatient(ready: Project) -> Project:
    """Return such a project with a short deadline, for what ends only then."""
    ready.environment["KAGGLE_DEADLINE_MINUTES"] = "0.05"
    return ready


def assert_kept_secret(output: str, root: Path) -> None:
    texts = [output.encode(), *(file.read_bytes() for file in root.rglob("*") if file.is_file())]
    for secret in SECRETS:
        assert not any(secret.encode() in text for text in texts), secret


def assert_sentence(output: str, said: str) -> None:
    """Check that the output ends with a sentence, and holds neither a traceback nor what the client prints."""
    last = output.splitlines()[-1]
    assert last.startswith("error: "), output
    assert said in last, output
    assert "Traceback" not in output
    assert "kaggle auth login" not in output


Record = Callable[[str, object], None]


def record(record_property: Record, faults: object, output: str, project: Project, kaggle: Kaggle) -> None:
    """Record a row of the fault table."""
    on_disk = ", ".join(name for name in ("data/raw", "metrics/submit.json") if (project.root / name).exists())
    row = {
        "fault": faults, "message": output.splitlines()[-1], "on disk": on_disk or "nothing",
        "submissions counted": len(kaggle.submissions),
    }  # fmt: skip
    for name, value in row.items():
        record_property(name, str(value))


def assert_refused(project: Project) -> None:
    """Check that the refusal is recorded, and that nothing else has changed."""
    assert json.loads((project.root / "metrics/submit.json").read_text()) == {"submitted": 0, "refused": 1}
    reason = (project.root / "metrics/refusals.yaml").read_text()
    assert reason.startswith("refusals: ") and "reason: ''" not in reason
    assert {line[3:] for line in project.changed().splitlines()} == {"metrics/refusals.yaml", "metrics/submit.json"}


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"DownloadDataFiles": [401]}, "rejected the credentials"),
        ({"DownloadDataFiles": [403]}, "https://www.kaggle.com/competitions/small-digits/rules"),
        ({"DownloadDataFiles": [404]}, "no competition 'small-digits'"),
        ({"DownloadDataFiles": [418]}, "(HTTP 418): what the service says about 418"),
        ({"DownloadDataFiles": [429]}, "takes no more requests for now"),
        ({"DownloadDataFiles": [500]}, "Kaggle fails (HTTP 500)"),
        ({"DownloadDataFiles": ["drop"]}, "the connection to Kaggle failed"),
        ({"DownloadDataFiles": ["hang"]}, "not done in time"),
        ({"file": ["hang"]}, "not done in time"),
        ({"file": ["drop"]}, "the connection to Kaggle failed"),
        ({"file": [401]}, "the storage with Kaggle's files refused the request (HTTP 401)"),
        ({"file": [404]}, "the storage with Kaggle's files refused the request (HTTP 404)"),
        ({"file": [500]}, "the storage with Kaggle's files refused the request (HTTP 500)"),
        ({"file": ["short"]}, "small-digits.zip: not a valid zip file"),
        ({"file": ["html"]}, "small-digits.zip: not a valid zip file"),
    ],
    ids=str,
)
def test_a_download_that_fails(
    record_property: Record, impatient: Project, kaggle: Kaggle, faults: Faults, said: str
) -> None:
    kaggle.faults.update(faults)
    if faults == {"file": ["drop"]}:  # the client itself waits once before it goes on
        impatient.environment["KAGGLE_DEADLINE_MINUTES"] = "0.12"
    output = impatient.run(*DOWNLOAD, fails=True)
    record(record_property, faults, output, impatient, kaggle)
    assert_sentence(output, said)
    assert not (impatient.root / "data/raw").exists()
    assert not (impatient.root / ".data-raw.tmp").exists()
    assert impatient.changed() == ""
    assert_kept_secret(output, impatient.root)


@pytest.mark.parametrize(
    "faults",
    [
        {"DownloadDataFiles": [500, 429, None]},
        {"DownloadDataFiles": ["drop", None]},
        {"file": ["drop", None]},
        {"file": ["drop", 403, 403, None]},
        {"file": [403, 403, None]},
        {"file": ["short", "html", None]},
    ],
    ids=str,
)
def test_a_download_that_recovers(ready: Project, kaggle: Kaggle, faults: Faults) -> None:
    kaggle.faults.update(faults)
    ready.run(*DOWNLOAD)
    for name, content in kaggle.competition.files.items():
        assert (ready.root / "data/raw" / name).read_bytes() == content
    assert len(list((ready.root / "data/raw").iterdir())) == len(kaggle.competition.files)


@pytest.mark.parametrize(("blocks", "said"), [(20, "the disk cannot be written"), (50, "it cannot be unpacked")])
def test_a_disk_that_is_full(ready: Project, kaggle: Kaggle, blocks: int, said: str) -> None:
    # the largest file that can be written, in KiB, stands for the room that is left
    output = ready.run("bash", "-c", f"ulimit -f {blocks}; exec {' '.join(DOWNLOAD)}", fails=True)
    assert_sentence(output, said)
    assert "File too large; make room" in output
    assert "trying again" not in output
    assert not (ready.root / "data/raw").exists()
    assert ready.changed() == ""


@pytest.mark.parametrize(
    ("token", "faults", "said"),
    [
        (False, {}, "https://www.kaggle.com/settings/api and give it in the variable KAGGLE_API_TOKEN"),
        (True, {"IntrospectToken": [403]}, "does not know the token in KAGGLE_API_TOKEN"),
        (True, {"IntrospectToken": [401]}, "rejected the credentials"),
        (True, {"IntrospectToken": ["hang"]}, "not done in time"),
        (True, {"DownloadDataFiles": [403]}, "accept the rules"),
    ],
    ids=str,
)
def test_credentials(impatient: Project, kaggle: Kaggle, token: bool, faults: Faults, said: str) -> None:
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY"):
        del impatient.environment[name]
    if token:
        impatient.environment["KAGGLE_API_TOKEN"] = TOKEN
    kaggle.faults.update(faults)
    output = impatient.run(*DOWNLOAD, fails=True)
    assert_sentence(output, said)
    assert_kept_secret(output, impatient.root)


def test_no_network(impatient: Project) -> None:
    with serve(digits()) as closed:
        pass
    output = impatient.run(*DOWNLOAD, fails=True, **closed.environment)
    assert_sentence(output, "the connection to Kaggle failed")
    assert output.count("trying again in") >= 1
    assert impatient.changed() == ""


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"ListSubmissions": [403]}, "https://www.kaggle.com/competitions/small-digits/rules"),
        ({"ListSubmissions": ["hang"]}, "not done in time"),
        ({"StartSubmissionUpload": [404]}, "what the service says about 404; likely causes: the competition is closed"),
        ({"upload": [403]}, "refused the upload"),
        ({"upload": [500]}, "refused the upload"),
        ({"CreateSubmission": [400]}, "(HTTP 400): what the service says about 400"),
    ],
    ids=str,
)
def test_a_submission_that_fails(
    record_property: Record, impatient: Project, kaggle: Kaggle, faults: Faults, said: str
) -> None:
    kaggle.faults.update(faults)
    output = impatient.run(*SUBMIT)
    record(record_property, faults, output, impatient, kaggle)
    assert_sentence(output, said)
    assert kaggle.submissions == []
    assert_refused(impatient)
    assert_kept_secret(output, impatient.root)


@pytest.mark.parametrize(
    ("faults", "said", "counted"),
    [
        ({"CreateSubmission": [500]}, "not known whether it counts", 0),
        ({"CreateSubmission": [429]}, "not known whether it counts", 0),
        ({"CreateSubmission": ["late 500"], "ListSubmissions": [None, None, 403]}, "its rules are not accepted", 1),
    ],
    ids=str,
)
def test_a_submission_in_doubt(
    record_property: Record, impatient: Project, kaggle: Kaggle, faults: Faults, said: str, counted: int
) -> None:
    kaggle.faults.update(faults)
    output = impatient.run(*SUBMIT)
    record(record_property, faults, output, impatient, kaggle)
    assert_sentence(output, said)
    assert len(kaggle.submissions) == counted
    assert_refused(impatient)
    assert_kept_secret(output, impatient.root)

    kaggle.faults.clear()
    impatient.run(*SUBMIT)
    assert score(impatient) == SCORE
    assert len(kaggle.submissions) == 1


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
def test_a_submission_that_recovers(ready: Project, kaggle: Kaggle, faults: Faults) -> None:
    kaggle.pending = 1
    kaggle.faults.update(faults)
    ready.run(*SUBMIT)
    assert score(ready) == SCORE
    assert len(kaggle.submissions) == 1


def test_a_submission_that_hangs_is_found(impatient: Project, kaggle: Kaggle) -> None:
    kaggle.faults["CreateSubmission"] = ["late hang"]
    output = impatient.run(*SUBMIT)
    assert "not done in time" in output
    assert score(impatient) == SCORE
    assert len(kaggle.submissions) == 1


def test_the_days_submissions_are_used_up(ready: Project, kaggle: Kaggle) -> None:
    kaggle.daily = 1
    kaggle.submissions.append(Submission(1, "sent by hand", 0.5))
    output = ready.run(*SUBMIT)
    assert_sentence(output, "the day's submissions are used up; try again after midnight UTC")
    assert len(kaggle.submissions) == 1
    assert_refused(ready)


def test_a_submission_in_error_is_told_and_not_sent_again(ready: Project, kaggle: Kaggle) -> None:
    kaggle.error = "ImageId 7 is missing"
    for _ in range(2):
        assert_sentence(ready.run(*SUBMIT), "ImageId 7 is missing")
        assert len(kaggle.submissions) == 1


def test_a_score_that_comes_late_is_picked_up_by_the_next_run(impatient: Project, kaggle: Kaggle) -> None:
    kaggle.pending = 1000
    output = impatient.run(*SUBMIT)
    assert_sentence(output, "Kaggle has had submission ")
    assert_refused(impatient)
    kaggle.submissions[0].pending = 0
    impatient.run(*SUBMIT)
    assert score(impatient) == SCORE
    assert len(kaggle.submissions) == 1


def test_an_earlier_submission_is_found_on_a_later_page(ready: Project, kaggle: Kaggle) -> None:
    ready.run(*SUBMIT)
    kaggle.submissions.extend(Submission(ref, f"number {ref} by hand", 0.5) for ref in range(10))
    ready.run(*SUBMIT)
    assert score(ready) == SCORE
    assert len(kaggle.submissions) == 11


def score(project: Project) -> float:
    written: float = json.loads((project.root / "metrics/submit.json").read_text())["public_score"]
    return written
