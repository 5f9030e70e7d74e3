"""Calls that ran on as their replies ended, and whose server then ended without a word."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text as sql

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store.sqlite import processes
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.tools import ToolCall

LINE = ToolCall(call_id="a", name="run_cell", state="still_running", progress="3 %")
OTHER = ToolCall(call_id="b", name="run_cell", state="completed", result="1")
ENDED = LINE.model_copy(update={"state": "interrupted", "progress": None})
LEFT = Settlement(MessageState.INTERRUPTED, tools=(LINE, OTHER))


async def _left(store, make, text=""):
    chat = make.chat()
    prompt, reply = make.turn(chat)
    await store.begin_turn([prompt, reply], chat)
    await store.append(reply.id, text)
    await store.settle(reply.id, LEFT)
    return reply


async def _tools(store, reply):
    return (await store.get_message(reply.id)).tools


@pytest.mark.parametrize("text", ["", "é" * 300_000])
async def test_the_next_start_ends_what_a_dead_server_left_running(new_store, make, text):
    """N4: its line is not "still running" for ever; what had ended stays."""
    dead = await new_store("host:1:a")
    await dead.open()
    reply = await _left(dead, make, text)
    assert await _tools(dead, reply) == (LINE, OTHER)
    await dead.recover()
    assert await _tools(dead, reply) == (LINE, OTHER), "it lives"
    await asyncio.to_thread(dead._saver._lock.release)
    told = []
    later = await new_store("host:1:b")
    await later.open(told.extend)
    assert await _tools(later, reply) == (ENDED, OTHER)
    assert told == [], "the reply had ended before"


async def test_what_has_ended_is_not_looked_for_any_more(store, make):
    """N4: a line that ended, a reply that went on, a chat that is gone."""
    count = "SELECT count(*) AS number FROM left_running"

    async def noted():
        return (await store._database.read(sql(count)))[0]["number"]

    first, second, third = [await _left(store, make) for _ in range(3)]
    assert await noted() == 3
    await store.amend_tool(first.id, ENDED)
    assert await noted() == 2
    await store.reopen(second.id)
    await store.settle(second.id, LEFT)
    assert await noted() == 2
    await store.reopen(second.id)
    await store.settle(second.id, Settlement(MessageState.COMPLETED, tools=(ENDED,)))
    assert await noted() == 1
    await store.delete_chat(third.chat_id)
    assert await noted() == 0


async def test_another_server_ends_what_one_left_that_went_on(new_store, make, monkeypatch):
    """N4: also in a reply that was being gone on with as its server died."""
    monkeypatch.setattr(processes, "fcntl", None)
    here, other = await new_store("one:1:a"), await new_store("two:1:b")
    await here.open()
    await other.open()
    left, going_on = await _left(here, make), await _left(here, make)
    await here.reopen(going_on.id)
    await other.recover()
    assert await _tools(other, left) == (LINE, OTHER)
    await other._database.transact(
        lambda connection: connection.execute(
            sql("UPDATE processes SET seen_at = 0 WHERE id = 'one:1:a'")
        )
    )
    await other.recover()
    assert await _tools(other, left) == (ENDED, OTHER)
    assert await _tools(other, going_on) == (ENDED, OTHER)
