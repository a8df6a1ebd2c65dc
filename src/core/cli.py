"""Run a stage's `main` as a command: its signature is the command line."""

import atexit
import functools
import gc
import io
import sys
from collections.abc import Callable

import typer

from src.core.errors import UserError
from src.core.outputs import DISK_FULL


def run(main: Callable[..., None]) -> None:
    """Call `main` with the arguments of the command line and exit.

    A `UserError`, and an `OSError` that names a file or says that the disk is full, end as one line on stderr and exit
    status 1. Anything else is a bug and keeps its traceback.
    """

    @functools.wraps(main)
    def command(*arguments: object, **options: object) -> None:
        try:
            main(*arguments, **options)
        except UserError as error:
            raise _ended(str(error)) from None
        except OSError as error:
            if error.filename is None and error.errno not in DISK_FULL:
                raise
            advice = "; make room and run again" if error.errno in DISK_FULL else ""
            raise _ended(f"{error.filename or 'writing'}: {error.strerror}{advice}") from None

    # Objects of the libraries are never garbage. `stages` switched the collector off while they were imported; without
    # the second freeze Python would search them once more at its exit, for 0.3 to 0.8 s.
    gc.freeze()
    gc.enable()
    atexit.register(gc.freeze)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a character that it lacks must not raise
        sys.stdout.reconfigure(errors="backslashreplace")
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    app()


def _ended(line: str) -> SystemExit:
    # in one write, which `SystemExit(line)` does in two: processes that share stderr would mix their lines
    sys.stderr.write(f"error: {line}\n")
    return SystemExit(1)
