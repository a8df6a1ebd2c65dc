"""The fault table: what goes wrong at Kaggle, what a person reads, what is on disk, what Kaggle counts."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from src.core.yaml_1_2 import load_yaml
from tests.competitions import digits
from tests.conftest import ROOT, Project, slow
from tests.kaggle_server import DOWNLOAD, SECRETS, SUBMIT, TOKEN, Kaggle, Submission, lay_out, serve

SCORE = 0.12
"""Of the predictions that `lay_out` writes: the share of the digit 0 in the answers."""

LAID_OUT = {"params.yaml", "data/predictions/submission.csv", "metrics/evaluate.json", "metrics/refusals.yaml"}

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
def ready(tmp_path: Path, kaggle: Kaggle) -> Project:
    """Return a folder in which the two stages can run against the server."""
    lay_out(tmp_path / "project", kaggle)
    (tmp_path / "home").mkdir()
    variables = {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": "", "PYTHONPATH": str(ROOT)}
    waiting = {"KAGGLE_DEADLINE_MINUTES": "2", "KAGGLE_LISTING_MINUTES": "0.03"}
    return Project(tmp_path / "project", kaggle.environment | variables | waiting)


@pytest.fixture
def impatient(ready: Project) -> Project:
    """Return such a project with a short deadline, for what ends only then."""
    ready.environment["KAGGLE_DEADLINE_MINUTES"] = "0.1"
    return ready


def files(project: Project) -> set[str]:
    """Return the names of all files in the folder."""
    return {str(path.relative_to(project.root)) for path in project.root.rglob("*") if path.is_file()}


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


Row = Callable[[object, str], None]


@pytest.fixture
def row(record_property: Callable[[str, object], None], ready: Project, kaggle: Kaggle) -> Row:
    """Return a function that records a row of the fault table, from a fault and what a stage then printed."""

    def record(fault: object, output: str) -> None:
        if isinstance(fault, dict):
            fault = "; ".join(
                f"{request}: {', '.join('none' if one is None else str(one) for one in faults)}"
                for request, faults in fault.items()
            )
        submitting = "ListSubmissions" in kaggle.requests or "StartSubmissionUpload" in kaggle.requests
        if submitting:
            on_disk = (ready.root / "metrics/submit.json").read_text()
        else:
            on_disk = "the files" if (ready.root / "data/raw").exists() else "nothing"
        record_property("stage", "submit" if submitting else "download")
        record_property("fault", fault)
        record_property("on disk", " ".join(re.sub(r'[{}"]', "", on_disk).split()))
        record_property("counted", len(kaggle.submissions))
        record_property("message", (output.splitlines() or ["-"])[-1])

    return record


def assert_refused(project: Project) -> None:
    """Check that the refusal is recorded, and that nothing else has changed."""
    assert project.metrics("submit") == {"refused": 1}
    written = load_yaml((project.root / "metrics/refusals.yaml").read_text())
    assert written["refusals"] >= 1 and written["reason"]
    assert files(project) == {*LAID_OUT, "metrics/submit.json"}


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"DownloadDataFiles": [403]}, "https://www.kaggle.com/competitions/small-digits/rules"),
        *slow(
            ({"DownloadDataFiles": [401]}, "rejected the credentials"),
            ({"DownloadDataFiles": [404]}, "no competition 'small-digits'"),
            ({"DownloadDataFiles": [418]}, "(HTTP 418): what the service says about 418"),
            ({"DownloadDataFiles": [429]}, "takes no more requests for now"),
            ({"DownloadDataFiles": [500]}, "Kaggle has an internal error (HTTP 500)"),
            ({"DownloadDataFiles": ["drop"]}, "the connection to Kaggle failed"),
            ({"DownloadDataFiles": ["hang"]}, "did not answer in time"),
            ({"file": ["hang"]}, "did not answer in time"),
            ({"file": ["drop"]}, "the connection to Kaggle failed"),
            ({"file": [401]}, "the storage with Kaggle's files refused the request (HTTP 401)"),
            ({"file": [404]}, "the storage with Kaggle's files refused the request (HTTP 404)"),
            ({"file": [500]}, "the storage with Kaggle's files refused the request (HTTP 500)"),
            ({"file": ["short"]}, "small-digits.zip: not a valid zip file"),
            ({"file": ["html"]}, "small-digits.zip: not a valid zip file"),
        ),
    ],
    ids=str,
)
def test_a_download_that_fails(row: Row, impatient: Project, kaggle: Kaggle, faults: Faults, said: str) -> None:
    kaggle.fail(faults)
    output = impatient.run(*DOWNLOAD, fails=True)
    row(faults, output)
    assert_sentence(output, said)
    assert files(impatient) == {*LAID_OUT, ".download.lock.tmp"}
    assert_kept_secret(output, impatient.root)


@pytest.mark.parametrize(
    "faults",
    [
        {"file": ["short", None]},
        *slow(
            ({"DownloadDataFiles": [500, 429, None]},),
            ({"DownloadDataFiles": ["drop", None]},),
            ({"file": ["drop", None]},),
            ({"file": ["drop", 403, 403, None]},),
            ({"file": [403, 403, None]},),
            ({"file": ["short", "html", None]},),
        ),
    ],
    ids=str,
)
def test_a_download_that_recovers(row: Row, ready: Project, kaggle: Kaggle, faults: Faults) -> None:
    kaggle.fail(faults)
    row(faults, ready.run(*DOWNLOAD))
    for name, content in kaggle.competition.files.items():
        assert (ready.root / "data/raw" / name).read_bytes() == content
    assert len(list((ready.root / "data/raw").iterdir())) == len(kaggle.competition.files)


@pytest.mark.parametrize(
    ("blocks", "said"), [(50, "error: data/raw: File too large"), *slow((20, "the disk cannot be written"))]
)
def test_a_disk_that_is_full(row: Row, ready: Project, kaggle: Kaggle, blocks: int, said: str) -> None:
    # the largest file that can be written, in KiB, stands for the room that is left
    output = ready.run("bash", "-c", f"ulimit -f {blocks}; exec {' '.join(DOWNLOAD)}", fails=True)
    row(f"room for files of {blocks} KiB alone", output)
    assert_sentence(output, said)
    assert "File too large; make room" in output
    assert "trying again" not in output
    assert files(ready) == {*LAID_OUT, ".download.lock.tmp"}


@pytest.mark.parametrize(
    ("token", "faults", "said"),
    [
        (False, {}, "https://www.kaggle.com/settings/api and give it in the variable KAGGLE_API_TOKEN"),
        *slow(
            (True, {"IntrospectToken": [403]}, "does not know the token in KAGGLE_API_TOKEN"),
            (True, {"IntrospectToken": [401]}, "rejected the credentials"),
            (True, {"IntrospectToken": ["hang"]}, "did not answer in time"),
            (True, {"DownloadDataFiles": [403]}, "accept the rules"),
        ),
    ],
    ids=str,
)
def test_credentials(row: Row, impatient: Project, kaggle: Kaggle, token: bool, faults: Faults, said: str) -> None:
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY"):
        del impatient.environment[name]
    if token:
        impatient.environment["KAGGLE_API_TOKEN"] = TOKEN
    kaggle.fail(faults)
    output = impatient.run(*DOWNLOAD, fails=True)
    row(faults or "no credentials", output)
    assert_sentence(output, said)
    assert_kept_secret(output, impatient.root)


@pytest.mark.slow
def test_no_network(row: Row, impatient: Project) -> None:
    with serve(digits()) as closed:
        pass
    output = impatient.run(*DOWNLOAD, fails=True, **closed.environment)
    row("no network", output)
    assert_sentence(output, "the connection to Kaggle failed")
    assert output.count("trying again in") >= 1
    assert files(impatient) == {*LAID_OUT, ".download.lock.tmp"}


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"StartSubmissionUpload": [404]}, "what the service says about 404; likely causes: the competition is closed"),
        *slow(
            ({"ListSubmissions": [403]}, "https://www.kaggle.com/competitions/small-digits/rules"),
            ({"ListSubmissions": ["hang"]}, "did not answer in time"),
            ({"upload": [403]}, "refused the upload"),
            ({"upload": [500]}, "refused the upload"),
            ({"CreateSubmission": [400]}, "(HTTP 400): what the service says about 400"),
        ),
    ],
    ids=str,
)
def test_a_submission_that_fails(row: Row, impatient: Project, kaggle: Kaggle, faults: Faults, said: str) -> None:
    kaggle.fail(faults)
    output = impatient.run(*SUBMIT)
    row(faults, output)
    assert_sentence(output, said)
    assert kaggle.submissions == []
    assert_refused(impatient)
    assert_kept_secret(output, impatient.root)


@pytest.mark.slow
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
    row: Row, impatient: Project, kaggle: Kaggle, faults: Faults, said: str, counted: int
) -> None:
    kaggle.fail(faults)
    output = impatient.run(*SUBMIT)
    row(faults, output)
    assert_sentence(output, said)
    assert len(kaggle.submissions) == counted
    assert_refused(impatient)
    assert_kept_secret(output, impatient.root)

    kaggle.faults.clear()
    impatient.run(*SUBMIT)
    assert score(impatient) == SCORE
    assert len(kaggle.submissions) == 1


@pytest.mark.slow
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
def test_a_submission_that_recovers(row: Row, ready: Project, kaggle: Kaggle, faults: Faults) -> None:
    kaggle.pending = 1
    kaggle.fail(faults)
    row(faults, ready.run(*SUBMIT))
    assert score(ready) == SCORE
    assert len(kaggle.submissions) == 1


@pytest.mark.slow
def test_a_submission_that_hangs_is_found(row: Row, impatient: Project, kaggle: Kaggle) -> None:
    kaggle.faults["CreateSubmission"] = ["late hang"]
    output = impatient.run(*SUBMIT)
    row(kaggle.faults, output)
    assert "did not answer in time" in output
    assert score(impatient) == SCORE
    assert len(kaggle.submissions) == 1


@pytest.mark.slow
def test_the_days_submissions_are_used_up(row: Row, ready: Project, kaggle: Kaggle) -> None:
    kaggle.daily = 1
    kaggle.submissions.append(Submission(1, "sent by hand", 0.5))
    output = ready.run(*SUBMIT)
    row("the day's submissions are used up", output)
    assert_sentence(output, "the day's submissions are used up; try again after midnight UTC")
    assert len(kaggle.submissions) == 1
    assert_refused(ready)


@pytest.mark.slow
def test_a_submission_in_error_is_told_and_not_sent_again(row: Row, ready: Project, kaggle: Kaggle) -> None:
    kaggle.error = "ImageId 7 is missing"
    for _ in range(2):
        output = ready.run(*SUBMIT)
        assert_sentence(output, "ImageId 7 is missing")
        assert len(kaggle.submissions) == 1
    row("a submission that ends in error, in two runs", output)


@pytest.mark.slow
def test_a_score_that_comes_late_is_picked_up_by_the_next_run(row: Row, impatient: Project, kaggle: Kaggle) -> None:
    kaggle.pending = 1000
    output = impatient.run(*SUBMIT)
    row("a score that does not come", output)
    assert_sentence(output, "Kaggle has had submission ")
    assert_refused(impatient)
    kaggle.submissions[0].pending = 0
    impatient.run(*SUBMIT)
    assert score(impatient) == SCORE
    assert len(kaggle.submissions) == 1


@pytest.mark.slow
def test_an_earlier_submission_is_found_on_a_later_page(ready: Project, kaggle: Kaggle) -> None:
    ready.run(*SUBMIT)
    kaggle.submissions.extend(Submission(ref, f"number {ref} by hand", 0.5) for ref in range(10))
    ready.run(*SUBMIT)
    assert score(ready) == SCORE
    assert len(kaggle.submissions) == 11


def score(project: Project) -> float:
    written: float = project.metrics("submit")["public_score"]
    return written
