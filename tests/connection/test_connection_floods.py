"""The connection in a flood: what is refused, what is waited for, and what is let through."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest

from jupyter_stop_chat.connection import connection as connections
from jupyter_stop_chat.connection import intake
from jupyter_stop_chat.connection import outbox as outboxes
from jupyter_stop_chat.connection.rates import Bucket
from tests.connection.wire import Wire, feed, shows
from tests.engine.bench import Bench, new_id, turns_until

JUNK = "no frame"


def frame(type_: str, **fields: Any) -> str:
    return json.dumps({"type": type_, **fields})


async def pour(page: Wire, frames: Iterable[str]) -> None:
    """Read frames as Tornado does: the next one once what the last one asks for is over."""
    for raw in frames:
        page.connection.receive(raw)
        room = page.connection.room()
        if room is not None:
            await room


def codes(page: Wire) -> list[str]:
    return [each["code"] for each in page.page.of_type("error")]


async def test_what_comes_too_fast_is_refused_and_a_stop_is_not(bench: Bench, wire: Any) -> None:
    """By its own code, with the request or the chat that it names."""
    now = [0.0]
    page = wire(bucket=Bucket(1.0, 3, lambda: now[0]))
    accepted = await page.ask()
    chat_id, message_id = accepted["chat_id"], accepted["message"]["id"]
    await pour(page, [JUNK, "more junk"])
    request_id = new_id()
    page.send("send", request_id=request_id, chat_id=chat_id, body="Hi")
    page.send("open", chat_id=chat_id)
    page.connection.receive(JUNK)
    await page.idle()
    told = page.page.of_type("error")
    assert codes(page) == ["bad_frame", "bad_frame", "too_fast", "too_fast", "too_fast"]
    assert [each.get("request_id") for each in told[2:]] == [request_id, None, None]
    assert [each.get("chat_id") for each in told[2:]] == [None, chat_id, None]
    assert len(bench.engine.running()) == 1
    unknown = new_id()
    page.connection.receive(frame("stop", message_id=unknown))
    await page.until("stop_result", lambda told: told["message_id"] == unknown)
    page.connection.receive(frame("stop", message_id=message_id).replace("stop", "st\\u006fp"))
    stopped = await page.until("stop_result", lambda told: told["message_id"] == message_id)
    assert stopped["results"][0]["outcome"] == "interrupted"
    now[0] += 1.0
    again = await page.ask(chat_id, request_id=request_id)
    assert again["chat_id"] == chat_id
    await bench.stop(all=True)


async def test_a_refusal_is_not_said_again_and_again(bench: Bench, wire: Any) -> None:
    """A flood costs the server no answer a frame; who names a request is told each time."""
    page = wire(bucket=Bucket(1e-9, 1))
    ids = [new_id() for _ in range(50)]
    await pour(page, [JUNK] * 500)
    await pour(page, (frame("continue", request_id=each, message_id=new_id()) for each in ids))
    await page.idle()
    told = page.page.of_type("error")
    nameless = [each for each in told if "request_id" not in each]
    assert 2 <= len(nameless) < 50, "the first of them is a bad frame"
    assert [each["request_id"] for each in told if "request_id" in each] == ids
    assert page.closed is None


async def test_a_flood_lets_others_have_their_turn(bench: Bench, wire: Any) -> None:
    """After so many frames, and sooner with large ones."""
    page = wire()
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(other())
    frames = intake.TURN * 20
    await pour(page, [JUNK] * frames)
    assert turns >= 20
    turns = 0
    await pour(page, ["x" * intake.CHARACTERS * intake.TURN] * 20)
    assert turns >= 20
    running.cancel()
    quiet = wire()
    quiet.connection.receive(JUNK)
    assert quiet.connection.room() is None, "one frame waits for nothing"


async def test_who_does_not_read_its_answers_is_read_no_further(bench: Bench, wire: Any) -> None:
    """It is waited for, and not closed; once it reads, all is answered."""
    page = wire()
    await page.until("welcome")
    page.open.clear()
    taken = 0

    def flood() -> Iterable[str]:
        nonlocal taken
        for taken in range(1, 3 * outboxes.MAX_ANSWERS + 1):  # noqa: B007 - told to the test
            yield JUNK

    pouring = asyncio.create_task(pour(page, flood()))
    await turns_until(lambda: page.connection._outbox.full)
    for _ in range(100):
        await asyncio.sleep(0)
    assert taken <= outboxes.FULL + 1
    assert not pouring.done()
    page.open.set()
    await pouring
    await page.idle()
    assert codes(page) == ["bad_frame"] * (3 * outboxes.MAX_ANSWERS)
    assert page.closed is None


async def test_who_never_reads_is_closed_and_waited_for_no_longer(bench: Bench, wire: Any) -> None:
    """Rule 11."""
    page = wire(stalled_after=0.01)
    page.open.clear()
    await pour(page, [JUNK] * 3 * outboxes.MAX_ANSWERS)
    assert page.closed is not None
    assert page.closed[0] == 1013


async def test_a_flood_of_stops_is_taken_bit_by_bit_and_none_is_refused(
    bench: Bench, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fills neither the store's queue nor memory, and holds up no stop of what runs."""
    page, other = wire(), wire()
    accepted = [await each.ask() for each in (page, other)]
    asked, most = 0, 0
    gate = asyncio.Event()
    get_message = bench.store.get_message

    async def slow(message_id: str) -> Any:
        nonlocal asked, most
        if message_id not in unknown:
            return await get_message(message_id)
        asked += 1
        most = max(most, asked)
        await gate.wait()
        asked -= 1
        return await get_message(message_id)

    monkeypatch.setattr(bench.store, "get_message", slow)
    unknown = [new_id() for _ in range(3 * intake.MAX_STOPS_IN_WORK)]
    few = intake.MAX_STOPS_IN_WORK // 2
    await pour(page, (frame("stop", message_id=each) for each in unknown[:few]))
    for client, turn in zip((page, other), accepted, strict=True):
        message_id = turn["message"]["id"]
        await pour(client, [frame("stop", message_id=message_id)])
        told = await client.until(
            "stop_result", lambda each, at=message_id: each["message_id"] == at
        )
        assert told["results"][0]["outcome"] == "interrupted"
    pouring = asyncio.create_task(
        pour(page, (frame("stop", message_id=each) for each in unknown[few:]))
    )
    await turns_until(lambda: page.connection._intake._stops >= intake.MAX_STOPS_IN_WORK)
    for _ in range(100):
        await asyncio.sleep(0)
    assert page.connection._intake._stops == intake.MAX_STOPS_IN_WORK
    assert most == connections.MAX_LOOKUPS
    gate.set()
    await pouring
    await turns_until(lambda: not page.connection._intake._tasks)
    await page.idle()
    told = {each["message_id"] for each in page.page.of_type("stop_result")}
    assert told == {*unknown, accepted[0]["message"]["id"]}
    assert page.page.of_type("error") == []


async def test_a_stop_behind_a_flood_is_carried_out(bench: Bench, wire: Any) -> None:
    """J2: on the flooding socket itself, in the order in which frames came."""
    page = wire(bucket=Bucket(1e-9, 100))
    accepted = await page.ask()
    message_id = accepted["message"]["id"]
    feed(bench, message_id, "so far")
    await shows(bench, message_id, "so far")
    flood = [JUNK, frame("open", chat_id=new_id()), frame("stop", chat_id=new_id())] * 500
    await pour(page, [*flood, frame("stop", message_id=message_id)])
    told = await page.until("stop_result", lambda each: each.get("message_id") == message_id)
    assert told["results"][0]["outcome"] == "interrupted"
    assert page.page.text(message_id) == "so far"
    assert page.closed is None
