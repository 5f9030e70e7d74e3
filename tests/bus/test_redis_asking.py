"""Questions and answers by a real Redis."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_stop_chat.ports.peers import NotReachedError, Question
from tests.aids.redis_server import RedisServer
from tests.conftest import PATIENCE


async def test_a_process_answers_another(process: Any) -> None:
    a, b = await process("a"), await process("b")
    answer = await a.peers.ask("b", Question("ada", '{"type":"stop"}'), PATIENCE)
    assert answer == 'b answers {"type":"stop"}'
    assert b.engine.questions == [Question("ada", '{"type":"stop"}')]
    assert (
        await b.peers.ask("a", Question(None, "of everyone"), PATIENCE) == "a answers of everyone"
    )
    assert a.engine.questions == [Question(None, "of everyone")]
    assert (a.beside.asked, b.beside.asked) == ([], [])


async def test_many_questions_are_answered_each_with_its_own(process: Any) -> None:
    a = await process("a")
    others = [await process(f"o{at}") for at in range(3)]
    asked = [(f"o{at % 3}", str(at)) for at in range(300)]
    answers = await asyncio.gather(
        *(a.peers.ask(name, Question("ada", frame), PATIENCE) for name, frame in asked)
    )
    assert answers == [f"{name} answers {frame}" for name, frame in asked]
    assert sum(len(each.engine.questions) for each in others) == 300


async def test_whom_nobody_hears_is_asked_by_the_slower_way(process: Any) -> None:
    a, far = await process("a"), await process("far", up=False)
    with pytest.raises(NotReachedError):
        await a.peers.ask("gone", Question("ada", "x"), PATIENCE)
    a.beside.reaches["gone"] = far.engine
    assert await a.peers.ask("gone", Question("ada", "y"), PATIENCE) == "far answers y"


async def test_who_does_not_answer_in_time_is_not_reached(process: Any) -> None:
    a, b = await process("a"), await process("b")
    b.engine.free.clear()
    with pytest.raises(NotReachedError):
        await a.peers.ask("b", Question("ada", "x"), 0.2)
    b.engine.free.set()
    assert await a.peers.ask("b", Question("ada", "y"), PATIENCE) == "b answers y"


async def test_a_question_that_comes_by_both_ways_is_done_once(process: Any) -> None:
    """The one by Redis is slow to be answered, so that the slower way is taken as well."""
    a, b = await process("a"), await process("b")
    b.engine.free.clear()
    a.beside.reaches["b"] = b.beside.heard
    asking = asyncio.create_task(a.peers.ask("b", Question("ada", "x"), PATIENCE))
    async with asyncio.timeout(PATIENCE):
        while not a.beside.asked:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    b.engine.free.set()
    assert await asking == "b answers x"
    assert len(b.engine.questions) == 1


async def test_a_question_that_goes_wrong_ends_nothing(
    process: Any, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = await process("a"), await process("b")

    async def broken(question: Question) -> str:
        raise RuntimeError("broken")

    b.engine.answer, well = broken, b.engine.answer
    with pytest.raises(NotReachedError):
        await a.peers.ask("b", Question("ada", "x"), 0.3)
    assert "a question of another process failed" in caplog.text
    b.engine.answer = well
    assert await a.peers.ask("b", Question("ada", "y"), PATIENCE) == "b answers y"


async def test_a_caller_that_is_cancelled_costs_nothing(process: Any) -> None:
    a, b = await process("a"), await process("b")
    b.engine.free.clear()
    asking = asyncio.create_task(a.peers.ask("b", Question("ada", "x"), PATIENCE))
    await b.engine.until(lambda: bool(b.engine.questions))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    b.engine.free.set()
    assert await a.peers.ask("b", Question("ada", "y"), PATIENCE) == "b answers y"


async def test_what_is_being_answered_at_the_end_is_answered(process: Any) -> None:
    a, b = await process("a"), await process("b")
    b.engine.free.clear()
    asking = asyncio.create_task(a.peers.ask("b", Question("ada", "x"), PATIENCE))
    await b.engine.until(lambda: bool(b.engine.questions))
    closing = asyncio.create_task(b.peers.close())
    await asyncio.sleep(0)
    b.engine.free.set()
    assert await asking == "b answers x"
    await closing


async def test_by_a_socket(process: Any, redis: RedisServer) -> None:
    a = await process("a", url=redis.socket_url)
    await process("b")
    assert await a.peers.ask("b", Question("ada", "x"), PATIENCE) == "b answers x"
    assert str(redis.folder) not in str(a.peers.health())


async def test_a_question_that_is_too_long_takes_the_slower_way_at_once(
    process: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever hears it would leave it out, and only time would tell."""
    monkeypatch.setattr("jupyter_stop_chat.bus.redis.HEDGE_SECONDS", 1000)
    a, b = await process("a"), await process("b")
    a.beside.reaches["b"] = b.beside.heard
    frame = "x" * 5_000_000
    assert await a.peers.ask("b", Question("ada", frame), PATIENCE) == f"b answers {frame}"
    assert "from another server is left out" not in caplog.text
    with pytest.raises(NotReachedError):
        await asyncio.wait_for(a.peers.ask("c", Question("ada", frame), 1000), PATIENCE)


async def test_an_answer_that_is_too_long_comes_by_the_slower_way(process: Any) -> None:
    a, b = await process("a"), await process("b")
    a.beside.reaches["b"] = b.beside.heard
    b.engine.name = "y" * 5_000_000
    answer = await a.peers.ask("b", Question("ada", "x"), PATIENCE)
    assert answer == f"{b.engine.name} answers x"
    assert len(b.engine.questions) == 1
