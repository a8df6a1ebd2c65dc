"""CONTRIBUTING.md: the tests that it names."""

import re

from tests.conftest import ROOT


def test_every_test_that_catches_a_mistake_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "CONTRIBUTING.md").read_text()))
    defined = {
        name for file in (ROOT / "tests").glob("*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert len(named) > 20 and named <= defined
