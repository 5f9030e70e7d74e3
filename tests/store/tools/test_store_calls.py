"""The tool calls of messages, whole, in the store, and what is left of them after a bad day."""

import asyncio
import sqlite3
from dataclasses import replace

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.store.sqlite.prepare import prepare, url_of
from jupyter_stop_chat.store.sqlite.salvage import salvage
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.tools import Approval, ToolCall
from tests.faults.store_case import FILL, a_chat, a_message, a_turn, case

__all__ = ["case"]

FIRST = Told(1, 0, "call-1", "look", '{"x": 1}', "waiting")
SECOND = Told(1, 0, "call-2", "look", '{"x": "é\0\ud800"}', "waiting")
THIRD = Told(2, 7, "call-1", "edit", "{", "failed", "no")
STOPPED = Settlement(MessageState.INTERRUPTED)


async def _reply(store, make, **more):
    chat = make.chat()
    prompt, reply = make.turn(chat, **more)
    await store.begin_turn([prompt, reply], chat)
    return reply


async def test_calls_are_kept_in_order_and_each_in_its_last_state(store, make):
    """N7, N11: whole, in the order in which they are told, and only while their reply is made."""
    reply, other = await _reply(store, make), await _reply(store, make)
    calls = store.calls
    await asyncio.gather(*(calls.put(reply.id, n, each) for n, each in enumerate((FIRST, SECOND))))
    assert await calls.of([reply.id, other.id, make.id()]) == {
        reply.id: [FIRST, replace(SECOND, args='{"x": "é\ufffd\ufffd"}')]
    }
    # What is written is in the order of the calls, whoever waits for it.
    running = calls.put(reply.id, 0, replace(FIRST, state="running"))
    await calls.put(reply.id, 0, done := replace(FIRST, state="completed", result="r" * 100_000))
    await running
    await calls.put(reply.id, 2, THIRD)
    await store.settle(reply.id, STOPPED)
    for message_id in (reply.id, make.id()):
        await calls.put(message_id, 3, THIRD)
    first, second, third = (await calls.of([reply.id]))[reply.id]
    assert (first, second.state, third) == (done, "waiting", THIRD)
    await store.delete_chat(reply.chat_id)
    assert await calls.of([reply.id]) == {}
    assert await calls.of([]) == {}


async def test_a_chat_is_brought_in_with_its_calls(store, make):
    """N11."""
    chat = make.chat()
    said = [each.model_copy(update={"state": MessageState.COMPLETED}) for each in make.turn(chat)]
    kept = {said[1].id: [FIRST, THIRD], make.id(): [FIRST]}
    await store.add_chat(chat, said, kept)
    assert await store.calls.of([each.id for each in said]) == {said[1].id: [FIRST, THIRD]}


async def test_a_reply_that_goes_on_keeps_its_calls_and_may_change_its_mode(store, make):
    """N11, V9."""
    reply = await _reply(store, make, mode="agent")
    await store.calls.put(reply.id, 0, FIRST)
    await store.settle(reply.id, STOPPED)
    assert (await store.reopen(reply.id, make.id())).mode == "agent"
    await store.calls.put(reply.id, 1, THIRD)
    await store.settle(reply.id, STOPPED)
    assert (await store.reopen(reply.id, mode="ask")).mode == "ask"
    assert await store.calls.of([reply.id]) == {reply.id: [FIRST, THIRD]}


async def test_a_line_that_ended_late_is_written_down(store, make):
    """N7: of a reply that has ended, and of none that goes on."""
    reply = await _reply(store, make)
    line = ToolCall(call_id="a", name="look", state="running", approval=Approval(digest="0" * 64))
    await store.put_tool(reply.id, line)
    ended = line.model_copy(update={"state": "interrupted", "approval": None})
    await store.amend_tool(reply.id, ended)
    assert (await store.get_message(reply.id)).tools == (line,)
    left = ended.model_copy(update={"state": "still_running"})
    await store.settle(reply.id, Settlement(MessageState.INTERRUPTED, tools=(left,)))
    await store.amend_tool(reply.id, ended.model_copy(update={"call_id": "b"}))
    assert (await store.get_message(reply.id)).tools == (left,)
    await store.amend_tool(reply.id, ended)
    await store.amend_tool(make.id(), ended)
    assert (await store.get_message(reply.id)).tools == (ended,)


async def test_what_is_called_while_nothing_can_be_saved_is_saved_later(case):
    """N11, B3: it can be read meanwhile, and is whole afterwards, what came before as well."""
    store = await case.open()
    chat, filler = a_chat(), a_chat(owner="filler")
    _, reply = a_turn(chat)
    await store.begin_turn([reply.model_copy(update={"reply_to": None})], chat)
    await store.calls.put(reply.id, 0, FIRST)
    await store.calls.put(reply.id, 1, SECOND)
    case.pragmas["max_page_count"] = 1
    await store._database.stop_writing()
    await store._database.open()
    await store.begin_turn([a_message(filler, "user", FILL)], filler)
    assert case.told == [True]
    await store.calls.put(reply.id, 0, done := replace(FIRST, state="completed", result="r"))
    await store.calls.put(reply.id, 2, THIRD)
    told = await store.calls.of([reply.id])
    assert [each.state for each in told[reply.id]] == ["completed", "waiting", "failed"]
    assert told[reply.id][0] == done
    del case.pragmas["max_page_count"]
    await case.saved_again()
    assert await store.calls.of([reply.id]) == told


async def test_they_outlive_a_damaged_file(new_store, path, make):
    """N11: a row that makes no sense is left out, and its reply is not."""
    store = await new_store()
    await store.open()
    reply = await _reply(store, make)
    for n, call in enumerate((FIRST, THIRD)):
        await store.calls.put(reply.id, n, call)
    await store.close()

    def bring_over():
        with sqlite3.connect(path) as spoiled:
            spoiled.execute("UPDATE calls SET args = x'00ff' WHERE n = 1")
        spoiled.close()
        aside = path.with_name("aside.sqlite3")
        path.rename(aside)
        prepare(url_of(f"sqlite:///{path}"), busy_seconds=1)
        return salvage(aside, path)

    assert await asyncio.to_thread(bring_over) == 2
    again = await new_store("host:1:b")
    await again.open()
    assert await again.calls.of([reply.id]) == {reply.id: [FIRST]}
