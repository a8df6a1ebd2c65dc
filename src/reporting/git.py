"""What git says of the project."""

import subprocess


def ask(*arguments: str) -> str:
    """Return what a git command prints; empty if it fails, as without a repository, or if git is not installed."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, encoding="utf-8")
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout.strip()
