"""A test that held an event loop: it fails, and beside others it is noted and runs again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_watchdog import at_a_stretch

#: A run with a watchdog that allows 30 ms, and a test that computes for 40 at a stretch.
CONFTEST = """
import asyncio
import pytest
from tests.aids.watching.again_alone import HeldLoops, pytest_addoption
from tests.aids.watching.watchdog import Watchdog

WATCHDOG = Watchdog(0.03, slowest=1.0)

def pytest_configure(config):
    config.pluginmanager.register(HeldLoops(WATCHDOG, config.getoption("held_to")))

@pytest.fixture(autouse=True, scope="session")
def watching():
    with WATCHDOG.watching():
        yield
"""
TESTS = """
import asyncio
import pytest
from tests.test_watchdog import at_a_stretch

def test_that_holds(): asyncio.run(at_a_stretch())

@pytest.mark.may_hold_the_loop("why")
def test_that_may(): asyncio.run(at_a_stretch())

def test_that_fails():
    asyncio.run(at_a_stretch())
    assert False

def test_that_is_quick(): asyncio.run(asyncio.sleep(0))
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return where such tests are."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # to load them all takes longer
    pytester.makeini("[pytest]\nmarkers = may_hold_the_loop(why)")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_some=TESTS)
    return pytester


def test_one_that_holds_a_loop_fails(run: pytest.Pytester) -> None:
    result = run.runpytest_inprocess()
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines([f"* ms: {at_a_stretch.__name__} *"])


def test_beside_others_it_is_noted_told_and_runs_again(
    run: pytest.Pytester, tmp_path: Path
) -> None:
    noted = tmp_path / "noted"
    result = run.runpytest_inprocess("--held-to", str(noted))
    result.assert_outcomes(passed=3, failed=1)
    assert noted.read_text() == "test_some.py::test_that_holds\n"
    result.stdout.fnmatch_lines(["* to be run again, alone *", "test_some.py::test_that_holds: *"])
    again = run.runpytest_inprocess(f"@{noted}")
    again.assert_outcomes(failed=1)
