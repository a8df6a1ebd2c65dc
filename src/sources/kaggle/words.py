"""Kaggle's messages made safe to show: without credentials, signatures and control characters."""

import base64
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

LONGEST = 300
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
    words = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in str(text))
    for secret in sorted(credentials, key=len, reverse=True):
        words = words.replace(secret, "\N{HORIZONTAL ELLIPSIS}")
    for pattern in (QUERY, USER_IN_URL, NAMED_SECRET, AUTHORIZATION, RANDOM):
        words = pattern.sub("\N{HORIZONTAL ELLIPSIS}", words)
    words = " ".join(words.split())
    return words if len(words) <= LONGEST else words[:LONGEST] + "\N{HORIZONTAL ELLIPSIS}"


def known_credentials() -> set[str]:
    """Return every credential that the client could have found, and the forms in which it goes over the network."""
    folders = {Path("~/.kaggle").expanduser(), Path(os.environ.get("KAGGLE_CONFIG_DIR") or ".kaggle")}
    found = {os.environ.get(name, "").strip() for name in VARIABLES}
    for path in [*(folder / name for folder in folders for name in FILES), *map(Path, list(found))]:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        try:
            found.update(_values(json.loads(text)))
        except ValueError:
            found.add(text.strip())
    found = {secret for secret in found if len(secret) >= 8}
    name = os.environ.get("KAGGLE_USERNAME", "")
    basic = {base64.b64encode(f"{name}:{secret}".encode()).decode() for secret in found}
    return found | basic | {quote(secret, safe="") for secret in found}


def _values(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for name, value in content.items():
            if name != "username":
                yield from _values(value)
    elif isinstance(content, str):
        yield content.strip()
