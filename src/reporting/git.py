"""What git says of the project: of the repository around the current folder."""

import io
import os
import subprocess
from collections.abc import Sequence

ANOTHER_REPOSITORY = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_IMPLICIT_WORK_TREE", "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE",
)  # fmt: skip
"""Variables that git exports in a hook, in `git rebase --exec` and to aliases, and that win over the current folder."""

for variable in ANOTHER_REPOSITORY:
    os.environ.pop(variable, None)  # DVC would heed them too, in this process and in those that it starts


def ask(*arguments: str) -> str:
    """Return what a git command prints; empty if it fails, as without a repository, or if git is not installed."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, encoding="utf-8")
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout.strip()


def prefix() -> str:
    """Return the path of the project in its repository, such as `kaggle/digits/`; empty if it is the whole of it."""
    return ask("rev-parse", "--show-prefix")


def files(names: Sequence[str]) -> dict[str, str]:
    """Return the content of text files in commits, by names such as `HEAD:params.yaml` with the path in the repository.

    Those that do not exist are missing.
    """
    asked = "".join(f"{name}\n" for name in names).encode()
    printed = io.BytesIO(subprocess.run(["git", "cat-file", "--batch"], input=asked, capture_output=True).stdout)
    found = {}
    for name in names:
        *_, kind, size = printed.readline().split() or [b"", b""]
        if kind == b"blob":
            found[name] = printed.read(int(size)).decode()
            printed.readline()
    return found
