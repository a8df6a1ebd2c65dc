"""Start a stage again in several processes, by the launcher of params.yaml."""

import os
import re
import shlex
import shutil
import subprocess
import sys

from src.core import params
from src.core.errors import UserError

LAUNCHED = "DIGITS_LAUNCHED"
"""The variable that a launched process finds in its environment."""

PATIENCE = 30
"""Seconds in which the processes must find each other, unless the launcher's own --rdzv-conf says otherwise."""

FAILURES = {
    r"Signal \d+ \(\w+\) received": "a process of this training was ended from outside; run it again",
    r"Rendezvous\w*Error|Timed out .* clients joined|DistNetworkError|DistStoreError": (
        f"params.yaml: launcher: its processes did not find each other within {PATIENCE} s; "
        "check --nnodes and the address, and that every machine was started"
    ),
}


def launched() -> bool:
    """Run this process's command by the launcher of params.yaml, and return whether that was done.

    Nothing is launched where the launcher is `python`, or in a process that the launcher started.

    Raises:
        UserError: the launcher is not there, its processes do not find each other, or one of them ended.
    """
    launcher = params.get("launcher", str)
    if launcher == "python" or LAUNCHED in os.environ:
        return False
    program, *arguments = words(launcher)
    conf = f"join_timeout={PATIENCE},read_timeout={PATIENCE},timeout={PATIENCE}"
    environment = {"PET_RDZV_CONF": conf} | os.environ | {LAUNCHED: "1"}
    module = sys.modules["__main__"].__spec__
    assert module is not None  # a stage runs as `python -m stages.…`
    command = [program, *arguments, "-m", module.name, *sys.argv[1:]]
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise UserError(_reason(done.stderr, program))
    return True


def words(launcher: str) -> list[str]:
    """Return the words of a launcher's command.

    Raises:
        UserError: it is not a command, or there is no such program.
    """
    try:
        command = shlex.split(launcher)
    except ValueError as error:
        raise UserError(f"params.yaml: launcher: {error} (found: {launcher!r})") from None
    if not command:
        raise UserError(f"params.yaml: launcher: expected a command (found: {launcher!r}); choose python or torchrun …")
    if shutil.which(command[0]) is None:
        raise UserError(f"params.yaml: launcher: there is no program {command[0]!r}; choose python or torchrun …")
    return command


def _reason(stderr: str, program: str) -> str:
    """Return one line for a failure: what a process said of it, else what the launcher's report of fifty lines means.

    The report is printed where a process failed for an unknown reason.
    """
    lines = stderr.strip().splitlines() or ["it failed and said nothing"]
    for line in lines:
        if line.startswith("error: "):
            return line.removeprefix("error: ")
    for pattern, reason in FAILURES.items():
        if re.search(pattern, stderr):
            return reason
    if "ChildFailedError" in stderr:
        print(stderr, file=sys.stderr)
        return "a process of this training failed; its report is above"
    return f"params.yaml: launcher: {program}: {lines[-1]}"
