"""Print the fault table after the tests: `make faults`."""

from typing import Any

import pytest

COLUMNS = ("fault", "message", "on disk", "submissions counted")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print a row for each test that recorded one."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    rows = [dict(report.user_properties) for report in reports if isinstance(report, pytest.TestReport)]
    terminalreporter.section("fault table")
    terminalreporter.write_line(" | ".join(COLUMNS))
    for row in sorted((row for row in rows if "fault" in row), key=lambda row: str(row["fault"])):
        terminalreporter.write_line(" | ".join(str(row[column]) for column in COLUMNS))
