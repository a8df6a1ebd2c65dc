"""The lists of packages are complete: they are installed without pip looking for what a package requires."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

LISTS = ("requirements.txt", "requirements-demo.txt", "requirements-dev.txt")
SYSTEMS = [
    {"sys_platform": system, "platform_system": name, "platform_machine": machine, "os_name": os}
    for system, name, machine, os in [
        ("linux", "Linux", "x86_64", "posix"),
        ("linux", "Linux", "aarch64", "posix"),
        ("darwin", "Darwin", "arm64", "posix"),
        ("win32", "Windows", "AMD64", "nt"),
    ]
]
PYTHONS = [
    {"python_version": version, "python_full_version": f"{version}.1"} for version in ("3.11", "3.12", "3.13", "3.14")
]


def listed(name: str) -> Iterator[Requirement]:
    """Yield the lines of a list and of those that it includes."""
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if included := re.fullmatch(r"--requirement (\S+)", line):
            yield from listed(included[1])
        elif line and not line.startswith(("#", "-")):
            yield Requirement(line)


def applies(requirement: Requirement, environment: dict[str, str], extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate(environment | {"extra": extra}) for extra in extras or {""})


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("system", SYSTEMS, ids=[" ".join(system.values()) for system in SYSTEMS])
def test_every_package_that_one_requires_is_listed(name: str, system: dict[str, str]) -> None:
    for python in PYTHONS:
        environment = system | python
        lines = [line for line in listed(name) if applies(line, environment, set())]
        pinned = {canonicalize_name(line.name): line for line in lines}
        assert len(pinned) == len(lines)
        extras: dict[str, set[str]] = {key: {""} for key in pinned}
        pending = list(pinned)
        while pending:
            key = pending.pop()
            try:
                needed = [Requirement(line) for line in requires(key) or ()]
            except PackageNotFoundError:  # of another system than this one
                assert pinned[key].marker is not None
                continue
            for requirement in needed:
                if not applies(requirement, environment, extras[key]):
                    continue
                other = canonicalize_name(requirement.name)
                # the builds of torch with CUDA require what is not in the list: it is installed with what it requires
                assert other in pinned, f"{key} requires {requirement} in {environment}"
                version = next(iter(pinned[other].specifier)).version
                assert requirement.specifier.contains(version, prereleases=True), f"{key} requires {requirement}"
                if not requirement.extras <= extras[other]:
                    extras[other] |= requirement.extras
                    pending.append(other)


def test_every_line_pins_one_version() -> None:
    for requirement in listed("requirements-dev.txt"):
        [specifier] = requirement.specifier
        assert specifier.operator == "==", requirement
