"""Credentials of any form stay out of everything that the stages print and write, whatever Kaggle says."""
# ruff: noqa: F811 - fixtures are imported, and arguments of tests

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from src.sources.kaggle.words import SHORTEST, cleaned, known_credentials
from tests.kaggle_client import kaggle, run_here, served  # noqa: F401
from tests.kaggle_server import DOWNLOAD, SUBMIT, Kaggle, lay_out

SECRETS = {
    "a word": "swordfish",
    "words": "correct horse battery staple",
    "digits": "31415926535",
    "a short one": "hunter22"[:SHORTEST],
    "quotes": """it's "quoted" \\ twice""",
    "letters of Latin-1": "Schlüsselbund",
    "signs": "<a%b/c+d&e=f>",
    "a space of another kind": "no\N{NO-BREAK SPACE}break here",
}
"""Credentials that look like nothing that `words` removes by its form."""

PLACES = ["KAGGLE_KEY", "KAGGLE_API_TOKEN", "kaggle.json", "access_token", "credentials.json"]


def forms(secret: str) -> list[str]:
    """Return the secret as it is, in a URL, in JSON, and in the header of a request."""
    headers = [base64.b64encode(f"somebody:{secret}".encode(encoding)).decode() for encoding in ("utf-8", "latin-1")]
    in_json = [json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True)]
    return [secret, quote(secret, safe=""), *in_json, *headers]


def hide(secret: str, place: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the secret where the client may look for it."""
    if place.startswith("KAGGLE"):
        monkeypatch.setenv(place, secret)
        return
    content = {
        "kaggle.json": json.dumps({"username": "somebody", "key": secret}),
        "access_token": f"{secret}\n",
        "credentials.json": json.dumps({"username": "somebody", "tokens": {"refresh_token": secret}}),
    }
    (home / ".kaggle").mkdir(exist_ok=True)
    (home / ".kaggle" / place).write_text(content[place], encoding="utf-8")


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("place", PLACES)
def test_it_is_in_no_message_and_no_file(
    kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, secret: str
) -> None:
    hide(secret, place, tmp_path, monkeypatch)
    lay_out(tmp_path / "work", kaggle)
    monkeypatch.chdir(tmp_path / "work")
    echo = f"You sent {' and '.join(forms(secret))} here"

    kaggle.says = {"message": echo}
    kaggle.fail({"DownloadDataFiles": [500, 418], "StartSubmissionUpload": [500, 404]})
    outputs = [run_here(monkeypatch, *DOWNLOAD, fails=True), run_here(monkeypatch, *SUBMIT)]
    kaggle.faults.clear()
    kaggle.odd = [{"ref": 1, "status": echo, "errorDescription": echo, "date": echo, "publicScore": echo}]
    kaggle.error = echo
    outputs.append(run_here(monkeypatch, *SUBMIT))
    kaggle.error, kaggle.score = "", echo
    outputs.append(run_here(monkeypatch, *SUBMIT))
    kaggle.score = None
    outputs.append(run_here(monkeypatch, *SUBMIT))

    assert [output.count("You sent \N{HORIZONTAL ELLIPSIS}") for output in outputs] == [2, 2, 1, 1, 0]
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != ".kaggle"]
    texts = [*outputs, *(path.read_text(encoding="utf-8", errors="replace") for path in written)]
    assert {path.name for path in written} >= {"refusals.yaml", "submit.json", "submissions.csv"}
    for form in forms(secret):
        assert not any(form in text for text in texts), form


def test_what_is_too_short_to_be_one_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KAGGLE_KEY", "a" * (SHORTEST - 1))
    assert cleaned(f"b{'a' * SHORTEST}b", known_credentials()) == f"b{'a' * SHORTEST}b"
