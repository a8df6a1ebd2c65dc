"""Print the fault table after the tests: `make faults`."""

from typing import Any

COLUMNS = ("stage", "fault", "on disk", "counted", "message")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print a row for each test that recorded one, with the number of submissions that counted in the end."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    recorded = [{name: str(value) for name, value in report.user_properties} for report in reports]
    found = sorted((row for row in recorded if "fault" in row), key=lambda row: (row["stage"], row["fault"]))
    rows = [dict(zip(COLUMNS, COLUMNS, strict=True)), *found]
    widths = {column: max(len(row[column]) for row in rows) for column in COLUMNS[:-1]}
    terminalreporter.section("fault table")
    for row in rows:
        cells = [row[column].ljust(width) for column, width in widths.items()]
        terminalreporter.write_line(" | ".join([*cells, row["message"]]))
