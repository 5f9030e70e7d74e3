"""Who may use the context."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from jupyter_stop_chat.local_model.room import Room


def never() -> bool:
    return False


def entering(
    room: Room, who: int, tokens: int, gave_up: Callable[[], bool] = never
) -> tuple[threading.Thread, list[bool]]:
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(room.enter(who, tokens, gave_up)))
    thread.start()
    return thread, answers


def test_places_are_limited() -> None:
    room = Room(1, 100)
    assert room.enter(1, 0, never)
    thread, answers = entering(room, 2, 0)
    assert answers == []
    room.leave(1)
    thread.join()
    assert answers == [True]


def test_tokens_are_limited() -> None:
    room = Room(4, 100)
    assert room.enter(1, 0, never)
    assert room.enter(2, 0, never)
    assert room.hold(1, 60)
    assert not room.hold(2, 41)
    assert room.hold(2, 40)
    assert room.hold(1, 60), "what is held already is not counted twice"
    room.leave(2)
    thread, answers = entering(room, 2, 41)
    assert answers == []
    room.leave(1)
    thread.join()
    assert answers == [True]


def test_one_that_waits_can_give_up() -> None:
    room = Room(1, 100)
    assert room.enter(1, 0, never)
    given_up = threading.Event()
    thread, answers = entering(room, 2, 0, given_up.is_set)
    given_up.set()
    room.wake()
    thread.join()
    assert answers == [False]
    room.leave(1)
    assert room.enter(3, 100, never), "it holds nothing and is not waited for"


def test_a_large_one_is_not_passed_for_ever() -> None:
    """One that needs much is let in before those that came later and need little."""
    room = Room(4, 100)
    assert room.enter(1, 50, never)
    queued = threading.Event()

    def gave_up() -> bool:
        queued.set()
        return False

    large, large_in = entering(room, 2, 80, gave_up)
    queued.wait()
    small, small_in = entering(room, 3, 10)
    assert small_in == []
    room.leave(1)
    large.join()
    small.join()
    assert large_in == small_in == [True]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 120)), max_size=40))
def test_it_never_overflows(steps: list[tuple[int, int]]) -> None:
    room, held = Room(4, 100), {}
    for who, tokens in steps:
        if who not in held:
            assert room.enter(who, 0, never)
            held[who] = 0
        elif room.hold(who, tokens):
            held[who] = tokens
        else:
            assert sum(held.values()) - held[who] + tokens > 100
            room.leave(who)
            del held[who]
        assert sum(held.values()) <= 100
