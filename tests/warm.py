"""Processes that begin with their libraries loaded: a command in a test costs its work, and no seconds of imports.

A server imports what the stages, the reports and DVC import, forgets the modules of the project, and forks for every
command. The new process has the arguments, folder, environment, limits and open files of the `python -m MODULE` or the
`dvc` that asked for it: two programs in a folder that comes first in the PATH of a test. Whatever else they are asked
for, as `python -c`, a new interpreter does.
"""

import atexit
import gc
import importlib
import json
import os
import resource
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parent.parent
OURS = ("src", "stages")

LIBRARIES = (
    "dulwich.porcelain", "dvc.cli.parser", "dvc.repo.datasets", "dvc.repo.experiments.executor.local",
    "dvc.repo.experiments.queue.celery", "dvc.repo.plots", "dvc.repo.reproduce", "dvc.repo.stage",
    "hydra.core.override_parser.overrides_parser", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg", "matplotlib.style.core", "networkx", "onnxscript", "pygit2", "ruamel.yaml",
    "sklearn.model_selection", "tabulate", "torch.onnx._internal.exporter._core",
)  # fmt: skip
"""What is imported only where it is needed."""

READ_AT_START = ("ATEN_", "LC_", "MKL_", "NPY_", "OMP_", "PYTHON")
"""How the names of variables begin that Python and its libraries read only when they start."""

PROGRAM = """#!{python} -IS
import json, os, resource, signal, socket, sys
words = ["-m", "dvc", *sys.argv[1:]] if os.path.basename(sys.argv[0]) == "dvc" else sys.argv[1:]
if words[:1] != ["-m"]:
    os.execv({python!r}, [{python!r}, *words])
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    limits = [resource.getrlimit(kind) for kind in range(16)]
    request = json.dumps([words[1:], os.getcwd(), dict(os.environ), limits]).encode()
    sent = socket.send_fds(server, [request], [0, 1, 2])
    server.sendall(request[sent:])
    server.shutdown(socket.SHUT_WR)
    lines = server.makefile()
    process = int(lines.readline())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: os.kill(process, number))
    status = int(lines.readline())
    sys.exit(status if status >= 0 else 128 - status)
"""


place = Path()
"""Where the programs are, and where the server listens: one folder for all processes of a run of the tests."""


def cold() -> dict[str, str]:
    """Return the environment of a command whose `python` and `dvc` are those of the tests, in new interpreters."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return that of a command that is `given` some variables; it is cold if one of them is read at start."""
    found = cold()
    if sys.platform == "linux" and not any(name.startswith(READ_AT_START) for name in given):
        start()
        found["PATH"] = f"{place}{os.pathsep}{found['PATH']}"
    return found | {**given}


@cache
def start() -> None:
    """Write the programs and start the server, unless another process of these tests has."""
    with FileLock(place.with_suffix(".lock")):
        if place.exists():
            return
        place.mkdir()
        address = f"\0{sha256(bytes(place)).hexdigest()}"  # in no folder: a socket's path may have 107 characters
        for name in ("python", "dvc"):
            (place / name).write_text(PROGRAM.format(python=sys.executable, address=address))
            (place / name).chmod(0o755)
        tests = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
        with socket.socket(socket.AF_UNIX) as listening, (place / "log").open("w") as log:
            listening.bind(address)
            listening.listen(128)
            subprocess.Popen(
                [sys.executable, __file__, str(listening.fileno()), str(tests)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[listening.fileno()], start_new_session=True,
            )  # fmt: skip


def load() -> None:
    """Import all libraries that the project uses."""
    sys.path[0] = str(ROOT)
    for package in OURS:
        for file in sorted((ROOT / package).rglob("*.py")):
            importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in [*sys.modules]:
        if name.partition(".")[0] in OURS:
            del sys.modules[name]
    gc.collect()
    gc.freeze()
    gc.enable()  # `stages` switches it off


def serve(listening: socket.socket, tests: int) -> socket.socket:
    """Fork for every connection, and return it in the new process; end after the process `tests`."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that none of those that have ended is kept
    listening.settimeout(1)
    while Path(f"/proc/{tests}").exists():
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            continue
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            if (process := os.fork()) == 0:
                return connection
            connection.sendall(f"{process}\n".encode())
            _, status = os.waitpid(process, 0)
            connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os._exit(0)
        connection.close()
    raise SystemExit


def run(connection: socket.socket) -> None:
    """Be the process that is asked for, and end with its status."""
    with connection:
        request, descriptors, *_ = socket.recv_fds(connection, 1 << 16, 3)
        while part := connection.recv(1 << 16):
            request += part
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    [module, *sys.argv[1:]], sys.path[0], environment, limits = json.loads(request)
    for kind, limit in enumerate(limits):
        resource.setrlimit(kind, limit)
    os.chdir(sys.path[0])
    os.environ.clear()
    os.environ.update(environment)
    if module.startswith("src."):  # what they start begins warm too; but a stage's child may be killed
        sys.executable = shutil.which("python") or sys.executable
    status = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Python would take a second to forget the libraries


if __name__ == "__main__":
    load()
    run(serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])))
