"""Kaggle's messages made safe to show: without credentials, signatures and control characters."""

import base64
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from urllib.parse import quote

LONGEST = 300
"""The most characters of a message that are shown."""
SHORTEST = 8
"""The fewest characters of a credential: without shorter ones, which Kaggle does not make, words would lose parts."""
FILES = ("kaggle.json", "access_token", "access_token.txt", "credentials.json")
VARIABLES = ("KAGGLE_KEY", "KAGGLE_API_TOKEN")

QUERY = re.compile(r"(\?|%3f)[^\s\"'<>]+", re.IGNORECASE)
USER_IN_URL = re.compile(r"(?<=//)[^/\s@]+@")
NAMED_SECRET = re.compile(
    r"[\w.-]*(?:sig|signature|token|key|secret|credential|password|auth)[\w.-]*(?:=|%3d|\"\s*:\s*\")[^\s\"'<>]+",
    re.IGNORECASE,
)
AUTHORIZATION = re.compile(r"\b(bearer|basic)\s+\S+", re.IGNORECASE)
RANDOM = re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])[\w+=]{24,}")


def cleaned(text: object, credentials: Iterable[str] = ()) -> str:
    """Return `text` on one line without the `credentials`, query strings of URLs and what else looks like a secret."""
    words = _without_control(str(text))
    for secret in sorted(map(_without_control, credentials), key=len, reverse=True):
        words = words.replace(secret, "\N{HORIZONTAL ELLIPSIS}")
    for pattern in (QUERY, USER_IN_URL, NAMED_SECRET, AUTHORIZATION, RANDOM):
        words = pattern.sub("\N{HORIZONTAL ELLIPSIS}", words)
    words = " ".join(words.split())
    return words if len(words) <= LONGEST else words[:LONGEST] + "\N{HORIZONTAL ELLIPSIS}"


def known_credentials() -> set[str]:
    """Return every credential that the client could have found, and the forms that it takes in requests and answers."""
    folders = {Path("~/.kaggle").expanduser(), Path(os.environ.get("KAGGLE_CONFIG_DIR") or ".kaggle")}
    found = {os.environ.get(name, "").strip() for name in VARIABLES}
    users = {os.environ.get("KAGGLE_USERNAME", "").strip()}
    for path in [*(folder / name for folder in folders for name in FILES), *map(Path, list(found))]:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if isinstance(content, dict):
            found.update(_values(content))
            users.add(str(content.get("username", "")))
        else:  # a token may be a number, and so be JSON as well
            found.add(text.strip())
    found = {secret for secret in found if len(secret) >= SHORTEST}
    return found | {form for secret in found for form in _forms(secret, users)}


def _without_control(text: str) -> str:
    """Return `text` with a space in place of each control character, and of each space of another kind."""
    return "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in text)


def _values(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for name, value in content.items():
            if name != "username":
                yield from _values(value)
    elif isinstance(content, str | int):
        yield str(content).strip()


def _forms(secret: str, users: Iterable[str]) -> Iterator[str]:
    """Yield how a credential looks in a URL, in JSON, and in a header, of which no standard says the encoding."""
    yield quote(secret, safe="")
    yield from (json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True))
    for user, encoding in product(users, ("utf-8", "latin-1")):
        with suppress(UnicodeEncodeError):
            yield base64.b64encode(f"{user}:{secret}".encode(encoding)).decode()
