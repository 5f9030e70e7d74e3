"""A lane: one at a time, in order."""

from __future__ import annotations

from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.engine.lane import Lane
from jupyter_stop_chat.wire.objects import MessageState
from tests.aids.generations import a_generation


def waiting(lane: Lane, *, accepted: bool = True) -> Generation:
    generation = a_generation(state=MessageState.QUEUED)
    if accepted:
        generation.accepted.set_result(None)  # type: ignore[arg-type]
    lane.waiting.append(generation)
    return generation


async def test_one_at_a_time_and_in_order():
    """V6."""
    lane = Lane("c", "ada")
    first, second = waiting(lane), waiting(lane)
    assert lane.state == "queued"
    assert lane.next() is first
    assert lane.next() is None
    assert lane.state == "generating"
    lane.remove(first)
    assert lane.next() is second
    lane.remove(second)
    assert (lane.state, lane.busy, lane.next()) == ("idle", False, None)


async def test_the_first_is_waited_for():
    """J5: one that came later does not overtake one that is still being accepted."""
    lane = Lane("c", "ada")
    first, second = waiting(lane, accepted=False), waiting(lane)
    assert lane.next() is None
    first.accepted.set_result(None)
    assert lane.next() is first
    assert list(lane.waiting) == [second]


async def test_one_that_was_stopped_does_not_start():
    lane = Lane("c", "ada")
    first, second = waiting(lane), waiting(lane)
    first.begin_stop("user")
    assert lane.next() is second
    assert list(lane.waiting) == [first]


async def test_paused():
    """B10."""
    lane = Lane("c", "ada")
    first, second = waiting(lane), waiting(lane)
    lane.paused = True
    assert (lane.state, lane.next()) == ("paused", None)
    lane.remove(second)
    assert lane.paused
    lane.remove(first)
    assert not lane.paused
    lane.remove(first)  # whoever is not there is no harm


async def test_taken_means_that_something_goes_on():
    lane = Lane("c", "ada")
    assert not lane.taken
    first = waiting(lane)
    assert lane.taken
    lane.next()
    assert lane.taken
    first.begin_stop("user")
    assert lane.busy
    assert not lane.taken
