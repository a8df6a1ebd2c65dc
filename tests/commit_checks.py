"""What .pre-commit-config.yaml checks before a commit and no tool of the environment does.

`python -m tests.commit_checks large FILE…` refuses files over 1 MB, `… tokens FILE…` those with credentials of Kaggle.
"""

import re
import sys
from pathlib import Path

from src.sources.kaggle.words import known_credentials

LARGEST = 1_000_000
TOKEN = re.compile(
    rb"\bKGAT_\w{16,}"
    rb'|"key"\s*:\s*"[0-9a-f]{32}"'
    rb"|\bKAGGLE_(KEY|API_TOKEN)\b[\"']?\s*[=:]\s*[\"']?[\w.-]{20,}"
)
"""An access token, the key in kaggle.json, and either of them given to its variable."""


def large(path: Path) -> str:
    """Return what is wrong with the size of a file, or nothing."""
    size = path.stat().st_size
    return f"{path}: {size / 1e6:.1f} MB; keep data and models in DVC's cache" if size > LARGEST else ""


def tokens(path: Path) -> str:
    """Return where a file holds a credential, or nothing: one in a known form, or one that is in use here."""
    content = path.read_bytes()
    found = TOKEN.search(content)
    places = [found.start()] if found else []
    places += [content.find(secret.encode()) for secret in known_credentials() if secret.encode() in content]
    line = content.count(b"\n", 0, min(places)) + 1 if places else 0
    return f"{path}:{line}: a Kaggle token; take it out, and make a new one if it was pushed" if places else ""


CHECKS = {"large": large, "tokens": tokens}


def main(name: str, *files: str) -> None:
    """Print what the check finds in the files, and exit with status 1 if that is anything."""
    findings = [finding for file in files if Path(file).is_file() and (finding := CHECKS[name](Path(file)))]
    print("\n".join(findings), end="\n" if findings else "")
    raise SystemExit(bool(findings))


if __name__ == "__main__":
    main(*sys.argv[1:])
