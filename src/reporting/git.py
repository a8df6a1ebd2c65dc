"""What git says of the project: of the repository around the current folder."""

import os
import subprocess

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
