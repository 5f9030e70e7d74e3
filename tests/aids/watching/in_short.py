"""What failed, in short and at the very end: all that is kept of a long run is often its end."""

from __future__ import annotations

import pytest

#: So many of the last lines of each failure, and so many failures.
LINES = 12
MOST = 20


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the last lines of each failure that say what was raised."""
    failed = [
        each
        for kind in ("failed", "error")
        for each in terminalreporter.stats.get(kind, [])
        if isinstance(each, pytest.TestReport)
    ]
    if not failed:
        return
    terminalreporter.section("failures in short")
    for report in failed[:MOST]:
        terminalreporter.write_line(f"{report.nodeid} ({report.when})")
        for line in _told(report.longreprtext):
            terminalreporter.write_line(f"  {line}")


def _told(text: str) -> list[str]:
    """Return the last lines of a failure that say what was raised."""
    lines = [line for line in text.splitlines() if line.lstrip().startswith(("E ", "| ", "+-"))]
    return (lines or text.splitlines())[-LINES:]
