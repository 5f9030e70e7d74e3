"""What waits for its commit, and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_stop_chat.engine.pending import PENDING_ENTRIES, PENDING_LIMIT, Pace, Pending
from jupyter_stop_chat.ports.handler import WasThought
from jupyter_stop_chat.wire.tools import ToolCall

INTERVAL = 0.5
#: So long after a step the next one is taken at its latest.
PATIENCE = 1.5 * INTERVAL


class Paced:
    """What commits at once, by a clock that the test turns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pace: Pace | None = None) -> None:
        self.committed: list[Any] = []
        self.cut_off = self.hold = False
        self._held: Any = None
        self.now = 1000.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)
        self.pending = Pending(
            self._commit, lambda entry: None, lambda: self.cut_off, pace or Pace(INTERVAL)
        )

    def _commit(self, entry: Any, then: Any) -> None:
        self.committed.append(entry)
        if self.hold:
            self._held = then
        else:
            asyncio.get_running_loop().call_soon(then, None, None)

    def release(self) -> None:
        """Answer the commit that is held, and hold none any more."""
        self.hold = False
        self._held(None, None)

    async def say(self, *texts: str, part: str = "text") -> None:
        for text in texts:
            self.pending.append((part, text))  # type: ignore[arg-type]
            await self.turns()

    async def later(self, seconds: float) -> None:
        self.now += seconds
        await self.turns()

    async def turns(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Any:
    async def make() -> Paced:
        return Paced(monkeypatch)

    return jp_asyncio_loop.run_until_complete(make())


async def test_the_first_word_waits_for_nothing_and_a_slow_model_neither(paced: Paced) -> None:
    """B2: what comes sooner than that is one piece at the end of the interval."""
    await paced.say("one ")
    assert paced.committed == [("text", "one ")]
    await paced.say("two ", "three ")
    assert paced.committed == [("text", "one ")]
    await paced.later(PATIENCE)
    assert paced.committed == [("text", "one "), ("text", "two three ")]
    await paced.later(INTERVAL)
    await paced.say("four")
    assert paced.committed[2:] == [("text", "four")]


async def test_a_step_that_is_due_is_taken_with_the_next_word(paced: Paced) -> None:
    """B2: none of its own between two words that come soon enough."""
    await paced.say("one ", "two ")
    await paced.later(1.2 * INTERVAL)
    assert paced.committed == [("text", "one ")]
    await paced.say("three ")
    assert paced.committed == [("text", "one "), ("text", "two three ")]


async def test_replies_that_wait_go_on_together_and_none_takes_more_steps_for_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """B2: what one is taken along before its time is added to its next wait."""
    pace = Pace(INTERVAL)
    early, late = (Paced(monkeypatch, pace) for _ in range(2))

    async def later(seconds: float) -> None:
        late.now += seconds
        await late.turns()

    await early.say("a ", "b ")
    await later(0.3 * INTERVAL)
    await late.say("a ", "b ")
    assert len(early.committed) == 1
    await later(0.8 * INTERVAL)  # the first is due, and soon the second as well
    await early.say("c ")
    assert early.committed[1:] == [("text", "b c ")]
    assert late.committed[1:] == [("text", "b ")]
    await late.say("c ")
    await later(1.1 * INTERVAL)  # since then, but less since it was due
    await late.say("d ")
    assert len(late.committed) == 2
    await later(0.2 * INTERVAL)
    await late.say("e ")
    assert late.committed[2:] == [("text", "c d e ")]


async def test_the_end_waits_for_nothing(paced: Paced) -> None:
    """B2: nor does what comes behind it."""
    await paced.say("one ", "two ")
    await paced.pending.drained()
    assert paced.committed == [("text", "one "), ("text", "two ")]
    await paced.say("three ")
    await paced.pending.drained()
    assert paced.committed[2:] == [("text", "three ")]


async def test_what_is_no_text_takes_the_text_before_it_along(paced: Paced) -> None:
    """T2: a tool call, a thought: they are seen when they come, in their place."""
    await paced.say("one ", "two ")
    thought = WasThought(4)
    paced.pending.append(thought)
    await paced.turns()
    assert paced.committed == [("text", "one "), ("text", "two "), thought]
    await paced.say("three ")
    assert len(paced.committed) == 3
    await paced.say("hm", part="reasoning")
    assert paced.committed[3:] == [("text", "three "), ("reasoning", "hm")]


async def test_text_and_thoughts_by_turns_are_no_more_steps(paced: Paced) -> None:
    """B2, T7: each part has its own, its first word waits for nothing, and no word is moved."""
    for n in range(100):
        await paced.say(f"{n} ")
        await paced.say(f"hm {n} ", part="reasoning")
    assert paced.committed == [("text", "0 "), ("reasoning", "hm 0 ")]
    await paced.later(PATIENCE)
    assert paced.committed[2:] == [
        ("text", "".join(f"{n} " for n in range(1, 100))),
        ("reasoning", "".join(f"hm {n} " for n in range(1, 100))),
    ]


async def test_each_part_waits_from_its_own_last_step(paced: Paced) -> None:
    """B2: also where the other's wait began before."""
    await paced.say("hm ", part="reasoning")
    await paced.later(INTERVAL / 2)
    await paced.say("one ", "two ")
    await paced.say("so ", part="reasoning")
    assert paced.committed == [("reasoning", "hm "), ("text", "one ")]
    await paced.later(PATIENCE - INTERVAL / 2)
    assert paced.committed[2:] == [("text", "two "), ("reasoning", "so ")]


async def test_nothing_is_joined_beyond_what_is_no_text(paced: Paced) -> None:
    """T2, T7: what came before a thought was told is what it takes along."""
    paced.hold = True
    await paced.say("one ", "two ")
    await paced.say("hm ", part="reasoning")
    thought = WasThought(4)
    paced.pending.append(thought)
    await paced.say("three ")
    await paced.say("so ", part="reasoning")
    await paced.say("four ")
    paced.release()
    await paced.pending.drained()
    assert paced.committed == [
        ("text", "one "),
        ("text", "two "),
        ("reasoning", "hm "),
        thought,
        ("text", "three four "),
        ("reasoning", "so "),
    ]


async def test_many_tool_calls_hold_the_model_back_though_they_have_no_length(
    paced: Paced,
) -> None:
    """Rule 8, T2: what waits is bounded, whatever it is."""
    paced.hold = True
    call = ToolCall(call_id="c", name="look", state="running")
    for _ in range(PENDING_ENTRIES):
        assert not paced.pending.full
        paced.pending.append(call)
    paced.pending.append(call)
    assert paced.pending.full
    paced.release()
    await paced.turns()
    await paced.pending.room()
    assert not paced.pending.full


async def test_much_text_waits_for_nothing(paced: Paced) -> None:
    """Rule 8: a model at full speed is not held back by it."""
    await paced.say("one ")
    await paced.say("x" * (PENDING_LIMIT - 1))
    assert len(paced.committed) == 1
    await paced.say("y")
    assert paced.committed[1:] == [("text", "x" * (PENDING_LIMIT - 1) + "y")]
    assert not paced.pending.full


async def test_what_waits_is_dropped_by_a_stop(paced: Paced) -> None:
    """V1: nobody saw it; nothing is written once its time has come, and nobody waits for it."""
    await paced.say("one ", "two ")
    paced.cut_off = True
    paced.pending.cut()
    await paced.pending.drained()
    await paced.later(2 * INTERVAL)
    assert paced.committed == [("text", "one ")]


async def test_a_loop_that_is_late_takes_fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown of many replies leaves room for a stop; in time again, all is as before."""
    interval = 1 / 30
    paced = Paced(monkeypatch, pace := Pace(interval))
    assert pace.after(paced.now, paced.now) == paced.now + interval
    await paced.say("one ", "two ")
    await paced.later(1.5 * interval + 0.05)
    assert paced.committed == [("text", "one "), ("text", "two ")]
    assert pace.after(paced.now, paced.now) == pytest.approx(paced.now + interval + 0.1)
    await paced.later(60.0)
    assert pace.after(paced.now, paced.now) == pytest.approx(paced.now + interval)
