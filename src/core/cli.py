"""Run a stage's `main` as a command: its signature is the command line."""

import functools
from collections.abc import Callable

import typer

from src.core.errors import UserError


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
