"""Whose test held an event loop beside other processes: that is decided when it runs alone.

How long a callback computes is told by a clock, and beside others the same takes several times as
long: memory and caches are theirs as well.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aids.watching.watchdog import Watchdog

#: Here the server is another process, and the loop is that of a browser's driver or of a kernel.
LOOPS_OF_OTHERS = {"browser", "magics", "hub", "together", "wheel"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the name of the file in which such tests are noted."""
    parser.addoption(
        "--held-to",
        metavar="FILE",
        type=Path,
        help="note there, a line each, the tests that held an event loop, and do not fail them",
    )


class HeldLoops:
    """What looks, behind each test, whether an event loop was held.

    :ivar noted: the tests that are to run again, and what held the loop.
    """

    def __init__(self, watchdog: Watchdog, note_in: Path | None) -> None:
        self._watchdog = watchdog
        self._note_in = note_in
        self.noted: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> object:
        """Fail a test during which a loop was held, or note it."""
        report: pytest.TestReport = yield
        allowed = item.get_closest_marker("may_hold_the_loop") or LOOPS_OF_OTHERS & {
            *item.path.parts
        }
        held = self._watchdog.take()
        if not held or allowed or not report.passed:
            return report
        if self._note_in is None:
            report.outcome = "failed"
            report.longrepr = "the event loop was held:\n" + "\n".join(held)
        else:
            with self._note_in.open("a", encoding="utf-8") as file:
                file.write(f"{item.nodeid}\n")
            self.noted += [f"{item.nodeid}: {each}" for each in held]
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell which tests are to run again."""
        if self.noted:
            terminalreporter.section("held an event loop: to be run again, alone")
            for each in self.noted:
                terminalreporter.write_line(each)
