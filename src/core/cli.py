"""Run a stage's `main` as a command: its signature is the command line."""

import argparse
import atexit
import gc
import inspect
import io
import sys
from collections.abc import Callable
from typing import Any, get_args, get_origin, get_type_hints

from src.core.errors import UserError
from src.core.outputs import DISK_FULL


def run(main: Callable[..., None]) -> None:
    """Call `main` with the arguments of the command line; those with a default are options.

    A `UserError`, and an `OSError` that names a file or says that the disk is full, end as one line on stderr and exit
    status 1. Anything else is a bug and keeps its traceback.
    """
    # Objects of the libraries are never garbage. `stages` switched the collector off while they were imported; without
    # the second freeze Python would search them once more at its exit, for 0.3 to 0.8 s.
    gc.freeze()
    gc.enable()
    atexit.register(gc.freeze)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a character that it lacks must not raise
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = _arguments(main)
    try:
        main(**arguments)
    except UserError as error:
        raise _ended(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None  # as a shell reports it
    except OSError as error:
        if error.filename is None and error.errno not in DISK_FULL:
            raise
        advice = "; make room and run again" if error.errno in DISK_FULL else ""
        raise _ended(f"{error.filename or 'writing'}: {error.strerror}{advice}") from None


def _arguments(main: Callable[..., None]) -> dict[str, Any]:
    """Return the command line's arguments by their names in `main`, converted to the types there."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(main))
    types = get_type_hints(main)
    for name, parameter in inspect.signature(main).parameters.items():
        kind, *_ = *get_args(types[name]), types[name]  # of `list[Path]` and `int | None` the first
        if parameter.default is parameter.empty:
            parser.add_argument(name, type=kind, nargs="+" if get_origin(types[name]) is list else None)
        else:
            parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=parameter.default)
    return vars(parser.parse_args())


def _ended(line: str) -> SystemExit:
    # in one write, which `SystemExit(line)` does in two: processes that share stderr would mix their lines
    sys.stderr.write(f"error: {line}\n")
    return SystemExit(1)
