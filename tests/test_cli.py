import io
import os
import subprocess
import sys

import pytest

from src.core import cli
from src.core.errors import UserError
from tests.conftest import ROOT


def test_an_error_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes of one training share stderr, and would mix what each writes in parts."""
    written: list[str] = []

    class Stderr(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    def main() -> None:
        raise UserError("x: wrong")

    monkeypatch.setattr(sys, "argv", ["stage"])
    monkeypatch.setattr(sys, "stderr", Stderr())
    with pytest.raises(SystemExit) as ended:
        cli.run(main)
    assert ended.value.code == 1
    assert written == ["error: x: wrong\n"]


def test_garbage_is_collected_once_the_stage_has_imported_its_libraries() -> None:
    script = """
import gc
import stages
from src.core import cli

def main() -> None:
    print("in the stage:", gc.isenabled())

print("before:", gc.isenabled())
cli.run(main)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "before: False\nin the stage: True\n"


def test_a_letter_that_the_terminal_lacks_is_written_by_its_number() -> None:
    script = "from src.core import cli\ncli.run(lambda: print('\\u2192'))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "\\u2192\n"


ARGUMENTS = """
from pathlib import Path
from src.core import cli

def main(name: str, fold: int, csv: Path, others: list[Path], after: int | None = None) -> None:
    \"\"\"Do what is wanted.\"\"\"
    print([name, fold, csv, others, after])

cli.run(main)
"""


def test_the_signature_is_the_command_line() -> None:
    def said(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-c", ARGUMENTS, *arguments]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    path = type(ROOT).__name__
    assert said("4", "4", "a b.csv", "c", "d", "--after", "1") == (
        0, f"['4', 4, {path}('a b.csv'), [{path}('c'), {path}('d')], 1]\n"
    )  # fmt: skip
    assert said("x", "-1", "a", "b")[1].endswith("None]\n")
    status, printed = said("x", "four", "a", "b")
    assert status == 2 and "argument fold: invalid int value: 'four'" in printed
    assert said("x")[0] == 2
    assert "Do what is wanted." in said("--help")[1]
