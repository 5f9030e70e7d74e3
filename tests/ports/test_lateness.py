"""How late the loop is: seen at once, forgotten soon, and never without a bound."""

from __future__ import annotations

import pytest

from jupyter_stop_chat.ports.lateness import FACTOR, HALF_LIFE, LONGEST, Lateness

STEP = 1 / 30


def test_while_the_loop_is_in_time_an_interval_is_as_it_is() -> None:
    lateness = Lateness()
    assert lateness.longer(STEP, 5.0) == STEP
    lateness.saw(5.0, 5.0)
    assert lateness.longer(STEP, 5.0) == STEP


def test_the_worst_that_was_seen_lately_counts() -> None:
    lateness = Lateness()
    lateness.saw(5.02, 5.0)
    lateness.saw(5.02, 5.01)
    assert lateness.longer(STEP, 5.02) == pytest.approx(STEP + FACTOR * 0.02)
    # Half of it is forgotten by then, so that less is worse.
    later = 5.02 + HALF_LIFE
    assert lateness.longer(STEP, later) == pytest.approx(STEP + FACTOR * 0.01)
    lateness.saw(later, later - 0.015)
    assert lateness.longer(STEP, later) == pytest.approx(STEP + FACTOR * 0.015)
    assert lateness.longer(STEP, later + 60) == pytest.approx(STEP)


def test_it_has_a_bound_and_shortens_nothing() -> None:
    """A loop that stood still for a minute is no reason to wait for one."""
    lateness = Lateness()
    lateness.saw(65.0, 5.0)
    assert lateness.longer(STEP, 65.0) == LONGEST
    assert lateness.longer(1.0, 65.0) == 1.0, "as it was asked for"
    assert lateness.longer(STEP, 1.0) == LONGEST, "another loop, whose clock is behind"


@pytest.mark.parametrize("stood_still", [1.0, 60.0, 86400.0])
def test_one_pause_is_forgotten_as_soon_however_long_it_was(stood_still: float) -> None:
    """What slept for a night is no slower after than what was held up for a moment."""
    lateness = Lateness()
    lateness.saw(stood_still, 0.0)
    assert lateness.longer(STEP, stood_still + 4 * HALF_LIFE) < STEP + LONGEST / 16 + 1e-9
