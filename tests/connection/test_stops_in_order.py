"""A stop begins where its frame is read, and yet behind the frames that came before it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_stop_chat.connection import connection as connections
from tests.connection.wire import feed, shows
from tests.engine.bench import OWNER, Bench, new_id, turns_until


async def test_a_stop_begins_where_its_frame_is_read(bench: Bench, wire: Any) -> None:
    """J2: nothing that comes after its frame is added, were it in the same turn of the loop."""
    page = wire()
    accepted = await page.ask()
    message_id = accepted["message"]["id"]
    feed(bench, message_id, "so far")
    await shows(bench, message_id, "so far")
    generation = bench.engine.generation(message_id)
    assert generation is not None
    feed(bench, message_id, " and more")
    page.send("stop", message_id=message_id)
    assert generation.cut_off
    assert (await page.end_of(message_id))["state"] == "interrupted"
    await page.until("stop_result")
    assert page.page.text(message_id) == "so far"


@pytest.mark.parametrize("target", ["request_id", "chat_id", "all"])
async def test_a_stop_stops_what_was_asked_for_just_before_it(
    bench: Bench, wire: Any, target: str
) -> None:
    """J2: both frames were read in one turn of the loop."""
    page = wire()
    first = await page.ask()
    feed(bench, first["message"]["id"], "Hi", None)
    await page.end_of(first["message"]["id"])
    request_id = new_id()
    named = {"request_id": request_id, "chat_id": first["chat_id"], "all": True}[target]
    page.send("send", request_id=request_id, chat_id=first["chat_id"], body="And?")
    page.send("stop", **{target: named})
    accepted = await page.until("accepted", lambda frame: frame["request_id"] == request_id)
    told = await page.until("stop_result")
    assert [each["outcome"] for each in told["results"]] == ["interrupted"]
    assert (await page.end_of(accepted["message"]["id"]))["state"] == "interrupted"


async def test_a_stop_of_what_runs_by_now_waits_for_no_look_up(
    bench: Bench, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J2: though it did not run yet when the frame was read."""
    page = wire()
    gate = asyncio.Event()
    get_message = bench.store.get_message
    unknown = [new_id() for _ in range(connections.MAX_LOOKUPS)]

    async def slow(message_id: str) -> Any:
        if message_id in unknown:
            await gate.wait()
        return await get_message(message_id)

    monkeypatch.setattr(bench.store, "get_message", slow)
    for each in unknown:
        page.send("stop", message_id=each)
    await turns_until(page.connection._lookups.locked)
    request_id = new_id()
    page.send("send", request_id=request_id, chat_id=None, body="Hi")
    page.send("stop", request_id=request_id)
    told = await page.until("stop_result")
    assert told["request_id"] == request_id
    assert [each["outcome"] for each in told["results"]] == ["interrupted"]
    gate.set()
    await page.idle()


async def test_a_stop_that_was_begun_and_is_never_carried_out_leaves_nothing(
    bench: Bench, wire: Any
) -> None:
    """L12: the loop ends between the two; a warning would be an error."""
    page = wire()
    accepted = await page.ask()
    page.send("stop", message_id=accepted["message"]["id"])
    (task,) = page.connection._intake._tasks
    task.cancel()
    await turns_until(task.done)
    await bench.end(accepted["message"]["id"])
    assert not bench.engine.running(OWNER)
