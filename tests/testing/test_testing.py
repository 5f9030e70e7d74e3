"""The fakes and the check that ship for plugin authors: they must fail what is wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.sync_bridge import SyncBridge
from jupyter_stop_chat.ports.handler import (
    Event,
    Reasoning,
    Text,
    TokensUsed,
    ToolEnded,
    ToolStarted,
    Turn,
)
from jupyter_stop_chat.testing import (
    Block,
    Call,
    Endless,
    Flag,
    Gate,
    Raise,
    RefuseToClose,
    ScriptedHandler,
    ScriptedModel,
    SlowClean,
    SyncScriptedModel,
    check_stops,
)
from tests.providers import OpenAIProvider, Script
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading, soon

# --- the scripted handler ------------------------------------------------------------------


async def test_a_script_is_followed() -> None:
    seen: list[Turn | None] = []
    script = [
        "a",
        Text("b"),
        Reasoning("r"),
        ToolStarted("1", "t"),
        ToolEnded("1", "x"),
        Block(1),
        Call(seen.append),
        TokensUsed(1, 2),
    ]
    handler = ScriptedHandler(script)
    reading = Reading(handler)
    assert await reading.end() is None
    assert reading.events == [
        Text("a"),
        Text("b"),
        Reasoning("r"),
        ToolStarted("1", "t"),
        ToolEnded("1", "x"),
        TokensUsed(1, 2),
    ]
    assert seen == [reading.turn]
    reply = handler.replies[0]
    assert (reply.text, reply.steps_done, reply.ending) == ("ab", 8, None)
    assert reading.reports == ["started", "closed"]


async def test_a_script_may_depend_on_the_turn() -> None:
    handler = ScriptedHandler(lambda turn: [turn.messages[-1].text.upper()], reports=False)
    reading = Reading(handler)
    await reading.end()
    assert reading.text == "HELLO?"
    assert reading.reports == []


async def test_a_cancel_at_a_gate() -> None:
    gate = Gate()
    handler = ScriptedHandler(["a", gate, "b"])
    reading = Reading(handler)
    reply = await handler.next_reply()
    await soon(gate.reached)
    assert await reading.stop() == "cancelled"
    assert isinstance(reply.ending, asyncio.CancelledError)
    assert reply.cancels == 1
    assert reply.text == "a"
    assert reply.ended.is_set()


async def test_a_cancel_that_is_swallowed() -> None:
    gate = Gate(swallow=2)
    handler = ScriptedHandler([gate, "late"])
    reading = Reading(handler)
    await soon(gate.reached)
    for _ in range(2):
        gate.swallowed.clear()
        reading.task.cancel()
        await soon(gate.swallowed)
    gate.open()
    assert await reading.end() is None
    assert reading.text == "late"
    assert handler.replies[0].cancels == 2


async def test_a_slow_clean_up() -> None:
    waiting, cleaning = Gate(), Gate()
    reading = Reading(ScriptedHandler([SlowClean(cleaning), waiting]))
    await soon(waiting.reached)
    reading.task.cancel()
    await soon(cleaning.reached)
    assert not reading.task.done()
    cleaning.open()
    assert await reading.end() == "cancelled"


async def test_a_refusal_to_close() -> None:
    stream = ScriptedHandler([RefuseToClose(), "a", "b"]).reply(Reading(ScriptedHandler()).turn)
    assert await anext(stream) == Text("a")
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        await stream.aclose()


async def test_a_raised_exception() -> None:
    error = KeyError("k")
    handler = ScriptedHandler(["a", Raise(error)])
    assert await Reading(handler).end() is error
    assert handler.replies[0].ending is error


@pytest.mark.parametrize("polite", [True, False])
async def test_the_flag_ends_an_endless_reply(polite: bool) -> None:
    handler = ScriptedHandler([Endless("x", polite=polite)], obeys_flag=True)
    reading = Reading(handler)
    count = 0
    async with aclosing(handler.reply(reading.turn)) as events:
        async for _ in events:
            count += 1
            if count == 100:
                reading.stopped = True
    assert count == 100
    await reading.end()


async def test_a_flag_between_threads_and_loops() -> None:
    there, back = Flag(), Flag()

    def other() -> None:
        async def wait() -> None:
            await there.wait()
            back.set()

        asyncio.run(wait())

    thread = threading.Thread(target=other)
    thread.start()
    there.set()
    await soon(back)
    assert back.wait_in_thread(0)
    back.clear()
    assert not back.is_set()
    assert not back.wait_in_thread(0)
    thread.join()


async def test_a_flag_whose_waiter_was_cancelled() -> None:
    flag = Flag()
    task = asyncio.create_task(flag.wait())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    flag.set()
    await flag.wait()


# --- the check -----------------------------------------------------------------------------


async def test_the_check_passes_a_good_handler() -> None:
    """B2, J7: with the measurements of each phase."""
    handler = ScriptedHandler([Endless("x ")], obeys_flag=True)
    report = await check_stops(handler)
    assert [phase.phase for phase in report.phases] == [
        "before_first_token",
        "waiting_for_more",
        "reader_busy",
        "flag_only",
    ]
    assert report.confirmed
    assert 0 < report.slowest_ms < 2000
    assert all(phase.closed_ms is not None for phase in report.phases)
    assert not handler.closed


async def test_the_check_passes_real_models() -> None:
    """J7, V1."""
    async with OpenAIProvider(Script(tokens=10**9)) as provider:
        handler = LangChainHandler(make_model("openai", provider.base_url))
        report = await check_stops(handler)
        assert report.confirmed
        await provider.no_connections()
        await handler.close()


async def test_the_check_tells_what_is_not_confirmed() -> None:
    """B2."""
    bridge = SyncBridge()
    handler = LangChainHandler(SyncScriptedModel(script=[Endless("x ")]), bridge=bridge)
    report = await check_stops(handler)
    assert {phase.provider for phase in report.phases} <= {"still_finishing", "closed"}
    silent = ScriptedHandler([Endless("x ")], reports=False, obeys_flag=True)
    with pytest.raises(AssertionError, match="could not be tried"):
        await check_stops(silent, patience=0.05)


class Swallows:
    """What swallows every cancel, look at no flag, and yield on."""

    async def reply(self, turn: Turn) -> AsyncGenerator[Event, None]:
        turn.provider_started()
        while True:
            yield Text("x ")
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                continue

    async def close(self) -> None:
        pass


class Fails(Swallows):
    """What makes an error of a stop."""

    async def reply(self, turn: Turn) -> AsyncGenerator[Event, None]:
        turn.provider_started()
        try:
            while True:
                yield Text("x ")
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            raise ValueError("stopped") from None


class Hangs(Swallows):
    """What nevers answer, whatever comes."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.left = asyncio.Event()

    async def reply(self, turn: Turn) -> AsyncGenerator[Event, None]:
        turn.provider_started()
        while not self.gate.opened.is_set():
            try:
                await self.gate.opened.wait()
            except asyncio.CancelledError:
                continue
        self.left.set()
        yield Text("x")


async def test_the_check_fails_a_handler_that_goes_on() -> None:
    """V2, B1."""
    with pytest.raises(AssertionError, match="or more events through"):
        await check_stops(Swallows())


async def test_the_check_fails_a_handler_that_makes_an_error_of_a_stop() -> None:
    """L3."""
    with pytest.raises(AssertionError, match=r"made the reply fail with ValueError"):
        await check_stops(Fails())


async def test_the_check_fails_a_handler_that_reports_no_start() -> None:
    """B2."""
    with pytest.raises(AssertionError, match=r"provider_started.* was never called"):
        await check_stops(ScriptedHandler(["a"], reports=False))


async def test_the_check_says_that_a_reply_was_too_short_to_be_stopped() -> None:
    report = await check_stops(ScriptedHandler(["a"]))
    assert [phase.phase for phase in report.phases if not phase.completed_before] == [
        "reader_busy"
    ]


async def test_the_check_fails_a_handler_that_hangs() -> None:
    """B1: it does not hang with it."""
    handler = Hangs()
    with pytest.raises(AssertionError, match=r"did not end the reply within 0.1 s"):
        await check_stops(handler, deadline=0.1)
    handler.gate.open()
    await soon(handler.left)


async def test_the_check_shows_an_error_of_the_handler() -> None:
    with pytest.raises(KeyError):
        await check_stops(ScriptedHandler([Raise(KeyError("k"))]))


async def test_models_are_imported_only_when_asked_for() -> None:
    from jupyter_stop_chat import testing

    assert testing.ScriptedModel is ScriptedModel
    with pytest.raises(AttributeError):
        _ = testing.NoSuchThing
