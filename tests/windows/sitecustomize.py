"""What Windows lacks, forbids and does otherwise, for the project's code in a process of a stage on Linux.

With this folder in PYTHONPATH Python runs it first. The libraries keep what they have: they have another way there.
"""

import builtins
import io
import os
import pathlib
import signal
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

MISSING_MODULES = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
MISSING_NAMES = {
    "os": (
        "O_CLOEXEC", "O_NOFOLLOW", "WNOHANG", "chown", "fchmod", "fchown", "fork", "geteuid", "getgid", "getloadavg",
        "getpgid", "getuid", "killpg", "mkfifo", "nice", "posix_spawn", "pread", "pwrite", "sched_getaffinity",
        "sched_setaffinity", "setpgid", "setsid", "statvfs", "sync", "sysconf", "uname", "wait", "wait3", "waitid",
    ),
    "signal": (
        "ITIMER_REAL", "SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP",
        "SIGUSR1", "SIGUSR2", "alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait",
    ),
}  # fmt: skip
FORBIDDEN = set('<>:"|?*')
THROUGH = {"contextlib", "os", "pathlib", "sitecustomize"}


def ours(frame: FrameType | None) -> bool:
    """Whether code of the project called, directly or through the modules `THROUGH`."""
    while frame and (name := str(frame.f_globals.get("__name__"))).partition(".")[0] in THROUGH:
        frame = frame.f_back
    return frame is not None and name.startswith(("src.", "stages.", "__main__"))


class Windows(ModuleType):
    """A module that does not show the project what it lacks on Windows."""

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name in MISSING_NAMES[super().__getattribute__("__name__")] and ours(sys._getframe(1)):
            raise AttributeError(f"there is no {name} on Windows")
        return value


def imported(name: str, *rest: Any, **more: Any) -> ModuleType:
    """Import a module, unless the project asks for one that Windows lacks."""
    if name in MISSING_MODULES and ours(sys._getframe(1)):
        raise ModuleNotFoundError(f"there is no {name} on Windows")
    return import_(name, *rest, **more)


def opened(file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, errors: Any = None,
           newline: Any = None, *rest: Any, **more: Any) -> Any:  # fmt: skip
    """Open a file as Windows does: a text has an encoding of its own there, and other line ends, unless told."""
    if ours(sys._getframe(1)):
        if "b" not in mode:
            assert encoding not in (None, "locale"), f"{file}: no encoding is named"
            newline = "\r\n" if newline is None and mode != "r" else newline
        allowed(file)
    return open_(file, mode, buffering, encoding, errors, newline, *rest, **more)


def allowed(path: Any) -> None:
    """Refuse a name that Windows does not allow."""
    if not isinstance(path, int) and FORBIDDEN & {*os.fspath(path)}:
        raise OSError(22, "Invalid argument", path)


def unless_in_use(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `os.unlink` and the like as they are on Windows, for files that this process has not open or mapped."""

    def checked(*paths: Any, **options: Any) -> Any:
        if ours(sys._getframe(1)):
            for path in paths:
                allowed(path)
                if os.path.realpath(path) in in_use():
                    raise PermissionError(13, "The process cannot access the file because it is being used", str(path))
        return function(*paths, **options)

    return checked


def in_use() -> set[str]:
    """Return the paths of the files that this process has open or mapped."""
    with open_("/proc/self/maps", encoding="utf-8") as lines:
        used = {fields[5].strip() for line in lines if len(fields := line.split(maxsplit=5)) == 6}
    for entry in pathlib.Path("/proc/self/fd").iterdir():
        try:
            used.add(str(entry.readlink()))
        except FileNotFoundError:  # the one by which the folder was read
            continue
    return used


def no_link(*paths: Any, **options: Any) -> None:
    """Refuse a link, as Windows does to those who are no developers."""
    raise OSError(22, "A required privilege is not held by the client")


if sys.orig_argv[1:2] == ["-m"] and sys.orig_argv[2].startswith(("stages.", "src.")):
    import_, open_ = builtins.__import__, io.open
    builtins.__import__ = imported  # type: ignore[assignment]
    builtins.open = io.open = opened
    for name in ("unlink", "remove", "rename", "replace"):
        setattr(os, name, unless_in_use(getattr(os, name)))
    os.symlink = os.link = no_link
    os.linesep = "\r\n"
    os.__class__ = signal.__class__ = Windows  # type: ignore[assignment]
