"""The journal: what replies changed, in the store, and what is left of it after a bad day."""

import asyncio
import sqlite3

import pytest

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.ports.tools import Change, Noted
from jupyter_stop_chat.store.operations import NoteChange
from jupyter_stop_chat.store.sqlite.prepare import prepare, url_of
from jupyter_stop_chat.store.sqlite.salvage import salvage
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.tools import Changes
from tests.faults.store_case import FILL, a_chat, a_message, a_turn, case

__all__ = ["case"]

CELL = {"cell_type": "code", "id": "one", "source": "x\0", "outputs": [{"text": ["\ud800"]}]}
INSERT = Change("a.ipynb", "insert", "new", "code", after="y", beside={"new_above": None})
REPLACE = Change("a.ipynb", "replace", "new", "code", before="y", after="z\0\ud800")
RUN = Change("a.ipynb", "run", "other", "code", before="1 / 0")
DELETE = Change("é.ipynb", "delete", "one", "code", "x", cell=CELL, beside={"above": "new"})


async def _reply(store, make):
    chat = make.chat()
    _, reply = make.turn(chat)
    await store.begin_turn([reply.model_copy(update={"reply_to": None})], chat)
    return reply


async def test_what_a_reply_changes_is_kept_in_order(store, make):
    """N10: with all that brings it back, and as much of it in the reply as is shown."""
    reply = await _reply(store, make)
    journal = store.journal
    for at, change in enumerate((INSERT, REPLACE, DELETE)):
        assert await journal.note(reply.id, f"call-{at}", change) == at
    await journal.mark(reply.id, {0: "done", 1: "failed"})
    first, second, third = await journal.changes(reply.id)
    assert first == Noted(0, "call-0", INSERT, "done")
    assert (second.state, second.change.after) == ("failed", "z\ufffd\ufffd")
    assert third.state == "begun"
    assert third.change.cell == {**CELL, "source": "x\ufffd", "outputs": [{"text": ["\ufffd"]}]}
    assert third.change.beside == {"above": "new"}
    assert (await store.get_message(reply.id)).changes == Changes(cells=2)
    assert await journal.note(reply.id, "call-3", RUN) == 3
    assert (await journal.changes(reply.id))[3] == Noted(3, "call-3", RUN, "begun")
    assert (await store.get_message(reply.id)).changes == Changes(cells=2)
    assert await journal.changes(make.id()) == []


async def test_what_was_taken_back_is_noted_after_the_end(store, make):
    """N10: of stopped replies too, and it goes with the reply's chat."""
    reply = await _reply(store, make)
    for at, change in enumerate((INSERT, DELETE)):
        await store.journal.note(reply.id, str(at), change)
    await store.journal.mark(reply.id, {0: "done", 1: "done"})
    settled = await store.settle(reply.id, Settlement(MessageState.INTERRUPTED))
    assert settled.changes == Changes(cells=2)
    await store.journal.mark(reply.id, {1: "undone"})
    assert (await store.get_message(reply.id)).changes == Changes(cells=2, undone=True)
    await store.journal.mark(reply.id, {1: "done", 9: "done"})
    assert (await store.get_message(reply.id)).changes == Changes(cells=2)
    await store.journal.mark(make.id(), {0: "done"})
    await store.delete_chat(reply.chat_id)
    assert await store.journal.changes(reply.id) == []


async def test_nothing_is_noted_of_what_has_ended_or_is_made_elsewhere(store, make):
    """N9: what cannot be written down does not begin."""
    reply = await _reply(store, make)
    await store.settle(reply.id, Settlement(MessageState.INTERRUPTED))
    for message_id in (reply.id, make.id()):
        with pytest.raises(StopChatError) as refused:
            await store.journal.note(message_id, "late", INSERT)
        assert refused.value.code is ErrorCode.NOT_POSSIBLE_NOW
    assert (await store.get_message(reply.id)).changes is None


async def test_a_reply_that_went_on_elsewhere_goes_on_with_its_numbers(new_store, make):
    """N10: nothing of what another server noted meanwhile is lost."""
    first, second = await new_store("host:1:a"), await new_store("host:2:b")
    await first.open()
    await second.open()
    reply = await _reply(first, make)
    assert await first.journal.note(reply.id, "here", INSERT) == 0
    for store, call, n in ((second, "there", 1), (first, "again", 2)):
        await (first if store is second else second).settle(
            reply.id, Settlement(MessageState.INTERRUPTED)
        )
        await store.reopen(reply.id)
        assert await store.journal.note(reply.id, call, REPLACE) == n
    assert [each.call_id for each in await first.journal.changes(reply.id)] == [
        *("here", "there", "again")
    ]


async def test_a_note_that_is_written_twice_counts_once(store, make):
    """Its answer may be lost with a connection; two at once are two."""
    reply = await _reply(store, make)
    two = [store.journal.note(reply.id, "call", INSERT) for _ in range(2)]
    assert sorted(await asyncio.gather(*two)) == [0, 1]
    await store._writer.write(NoteChange(reply.id, 0, "call", INSERT))
    assert len(await store.journal.changes(reply.id)) == 2


async def test_what_is_changed_while_nothing_can_be_saved_is_saved_later(case):
    """N10, B3: it can be read meanwhile, and is whole afterwards, what came before as well."""
    store = await case.open()
    chat, filler = a_chat(), a_chat(owner="filler")
    _, reply = a_turn(chat)
    await store.begin_turn([reply.model_copy(update={"reply_to": None})], chat)
    await store.journal.note(reply.id, "before", INSERT)
    case.pragmas["max_page_count"] = 1
    await store._database.stop_writing()
    await store._database.open()
    await store.begin_turn([a_message(filler, "user", FILL)], filler)
    assert case.told == [True]
    assert await store.journal.note(reply.id, "amid", REPLACE) == 1
    await store.journal.mark(reply.id, {0: "done", 1: "done"})
    told = [(each.call_id, each.state) for each in await store.journal.changes(reply.id)]
    assert told == [("before", "done"), ("amid", "done")]
    del case.pragmas["max_page_count"]
    await case.saved_again()
    assert told == [(each.call_id, each.state) for each in await store.journal.changes(reply.id)]
    assert (await store.get_message(reply.id)).changes == Changes(cells=1)


async def test_it_outlives_a_damaged_file(new_store, path, make):
    """N10: a row that makes no sense is left out, and its reply is not."""
    store = await new_store()
    await store.open()
    reply = await _reply(store, make)
    for at, change in enumerate((INSERT, DELETE)):
        await store.journal.note(reply.id, str(at), change)
    await store.close()

    def bring_over():
        with sqlite3.connect(path) as spoiled:
            spoiled.execute("UPDATE journal SET cell = '{' WHERE n = 1")
        spoiled.close()
        aside = path.with_name("aside.sqlite3")
        path.rename(aside)
        prepare(url_of(f"sqlite:///{path}"), busy_seconds=1)
        return salvage(aside, path)

    assert await asyncio.to_thread(bring_over) == 1
    again = await new_store("host:1:b")
    await again.open()
    assert [each.call_id for each in await again.journal.changes(reply.id)] == ["0"]
    assert (await again.get_message(reply.id)).changes == Changes(cells=2)
