"""Run a stage's `main` as a command: its signature is the command line."""

import functools
import os
from collections.abc import Callable

import typer

from src.errors import UserError

# Threads of torch that wait for each other spin a little and then sleep. To spin on makes a small training loop many
# times slower beside another busy process, and to sleep at once makes it a third slower alone; GNU's OpenMP can be told
# how long to spin. Read once, when torch is loaded, so a stage imports this module before it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "4000")


def run(main: Callable[..., None]) -> None:
    """Call `main` with the arguments of the command line and exit.

    A `UserError`, and an `OSError` that names a file, end as one line on stderr and exit status 1. Anything else is a
    bug and keeps its traceback.
    """

    @functools.wraps(main)
    def command(*arguments: object, **options: object) -> None:
        try:
            main(*arguments, **options)
        except UserError as error:
            raise SystemExit(f"error: {error}") from None
        except OSError as error:
            if error.filename is None:
                raise
            raise SystemExit(f"error: {error.filename}: {error.strerror}") from None

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    app()
