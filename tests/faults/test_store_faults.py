"""A database that cannot be used: the chat goes on in memory, and is saved later."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import update

from jupyter_stop_chat.ports.spending import Bill
from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store import make_store
from jupyter_stop_chat.store.operations import Interrupt
from jupyter_stop_chat.store.schema import processes
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Spent
from jupyter_stop_chat.wire.tools import ToolCall
from tests.faults.store_case import (
    DONE,
    FILL,
    Lock,
    a_chat,
    a_message,
    a_turn,
    as_told,
    case,
    live_through,
)

__all__ = ["case"]


async def test_a_full_disk(case):
    """B3: SQLITE_FULL. Reads go on from the file and from memory."""
    store = await case.open()

    async def fail() -> None:
        # A limit on the pages is a real SQLITE_FULL; the writer takes it up at its next connect.
        case.pragmas["max_page_count"] = 1
        await store._database.stop_writing()
        await store._database.open()
        filler = a_chat(owner="filler")
        await store.begin_turn([a_message(filler, "user", FILL)], filler)

    async def mend() -> None:
        del case.pragmas["max_page_count"]

    await live_through(case, store, fail, mend, "disk_full")


async def test_a_lock_that_another_process_holds_for_long(case):
    """SQLITE_BUSY, with reads that still work: WAL."""
    store = await case.open()
    locks = []

    async def fail() -> None:
        locks.append(Lock(case.path, "write"))

    async def mend() -> None:
        locks.pop().release()

    await live_through(case, store, fail, mend, "locked")


async def test_a_locked_file_at_the_start(case):
    """A server starts, works in memory, and saves once the lock is gone."""
    store = await case.open()
    old = a_chat(title="old")
    await store.begin_turn(a_turn(old), old)
    await case.close()
    lock = Lock(case.path, "all")
    try:
        store = await case.open("host:2:b")
        assert case.told == [True]
        assert store.health()["reason"] == "locked"
        assert case.recovered == []
        with pytest.raises(StopChatError) as refused:
            await store.get_chat(old.id)
        assert refused.value.code == ErrorCode.NOT_READABLE
        new = a_chat(title="new")
        asked, reply = a_turn(new)
        await store.begin_turn([asked, reply], new)
        await store.append(reply.id, "text")
        assert [chat.title for chat in await store.list_chats("me")] == ["new"]
        assert [each.text for each in await store.get_thread(reply.id)] == ["Hello?", "text"]
        with pytest.raises(StopChatError):
            await store.set_title(old.id, "cannot be known")
    finally:
        lock.release()
    await case.saved_again()
    assert len(case.recovered) == 1
    assert case.told == [True, False]
    assert {chat.title for chat in await store.list_chats("me")} == {"new", "old"}
    assert (await store.get_message(reply.id)).text == "text"


async def test_a_read_only_file(case):
    """Chats are read, new ones are kept in memory, and the file is left as it is."""
    store = await case.open()
    old = a_chat(title="old")
    asked, reply = a_turn(old)
    await store.begin_turn([asked, reply], old)
    await store.settle(reply.id, DONE)
    await case.close()
    before = case.path.read_bytes()
    store = await case.open("host:2:b", f"sqlite:///file:{case.path}?mode=ro&uri=true")
    assert case.told == [True]
    assert store.health()["reason"] == "read_only"
    assert [chat.title for chat in await store.list_chats("me")] == ["old"]
    more = a_message(old, "user", "more", reply_to=reply.id)
    await store.begin_turn([more])
    assert [each.id for each in await store.get_thread(more.id)] == [asked.id, reply.id, more.id]
    await store.close()
    assert case.path.read_bytes() == before


async def test_a_folder_that_cannot_be_made(case):
    """A file is where the folder should be; once it is gone, all is saved."""
    case.path.parent.write_text("in the way")
    store = await case.open()
    assert store.health()["reason"] == "missing"
    chat = a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "kept")
    case.path.parent.unlink()
    await case.saved_again()
    await store.append(reply.id, " on")
    await case.close()
    again = await case.open("host:2:b")
    assert (await again.get_message(reply.id)).text == "kept on"


async def test_a_file_that_is_deleted_under_a_running_server(case):
    """What is being made is saved into a new file, instead of into one that nobody can see."""
    store = await case.open()
    chat = a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "before ")
    store.making = lambda: [as_told(chat, asked, reply, "before ")]
    for file in case.path.parent.iterdir():
        if file.is_file():
            file.unlink()
    await store._saver.check()
    assert case.told == [True, False]
    await store.append(reply.id, "after")
    assert [each.text for each in await store.get_messages(chat.id)] == [
        "Hello?",
        "before after",
    ]
    await case.close()
    again = await case.open("host:2:b")
    assert (await again.get_message(reply.id)).text == "before after"


@pytest.mark.parametrize("known", [True, False])
async def test_a_file_that_is_replaced_by_an_older_one_gets_what_is_being_made(case, known):
    """B3: a backup is brought back under a running server, with the reply or without."""
    store = await case.open()
    older, chat = a_chat(title="older"), a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn(a_turn(older), older)
    copied = case.path.with_name("copied")
    if not known:
        await asyncio.to_thread(_copy, case.path, copied)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "be")
    if known:
        await asyncio.to_thread(_copy, case.path, copied)
    await store.append(reply.id, "fore ")
    store.making = lambda: [as_told(chat, asked, reply, "before ")]
    for ending in ("-wal", "-shm"):
        case.path.with_name(case.path.name + ending).unlink()
    copied.rename(case.path)
    await store._saver.check()
    assert case.told == [True, False]
    await store.append(reply.id, "after")
    said = [each.text for each in await store.get_messages(chat.id)]
    assert said == ["Hello?", "before after"]
    assert (await store.settle(reply.id, DONE)).text == "before after"
    assert len(await store.list_chats("me")) == 2


def _copy(path, copied):
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copied)) as target:
        source.backup(target)


async def test_what_is_not_saved_when_the_server_ends_is_logged(case, caplog):
    """What could not be saved to the end is counted in the log, and close still ends."""
    store = await case.open()
    lock = Lock(case.path, "write")
    try:
        chat = a_chat()
        await store.begin_turn(a_turn(chat), chat)
        await store.close()
    finally:
        lock.release()
    assert "1 changes could not be saved" in caplog.text


async def test_close_saves_what_was_kept_in_memory(case):
    store = await case.open()
    lock = Lock(case.path, "write")
    chat = a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "kept")
    lock.release()
    await store.close()
    again = await case.open("host:2:b")
    assert (await again.get_message(reply.id)).text == "kept"


async def test_memory_is_bounded(case, monkeypatch):
    """Rule 8: with too much in memory, text waits; what ends a message does not."""
    monkeypatch.setattr("jupyter_stop_chat.store.degraded.saving.MEMORY_SIZE", 100)
    store = await case.open()
    chat = a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply], chat)
    lock = Lock(case.path, "write")
    try:
        await store.append(reply.id, "x" * 101)
        held = asyncio.ensure_future(store.append(reply.id, "held"))
        other = a_chat()
        await store.begin_turn(a_turn(other), other)
        assert not held.done()
    finally:
        lock.release()
    await case.saved_again()
    await held
    assert (await store.get_message(reply.id)).text == "x" * 101 + "held"


async def test_what_waited_for_room_when_its_reply_was_stopped_comes_no_more(case, monkeypatch):
    """V1, B7, rule 8: also where the reply goes on before there is room: it is behind the cut."""
    monkeypatch.setattr("jupyter_stop_chat.store.degraded.saving.MEMORY_SIZE", 100)
    store = await case.open()
    chat = a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply], chat)
    call = ToolCall(call_id="c", name="look", state="running")
    told = []
    lock = Lock(case.path, "write")
    try:
        await store.append(reply.id, "x" * 101)
        store.append_then(reply.id, "late", "text", lambda _, error: told.append(error))
        late = asyncio.ensure_future(store.put_tool(reply.id, call))
        await asyncio.sleep(0)
        await store.settle(reply.id, Settlement(MessageState.INTERRUPTED, keep=1))
        await store.reopen(reply.id)
        more = asyncio.ensure_future(store.append(reply.id, "and more"))
    finally:
        lock.release()
    await case.saved_again()
    await asyncio.gather(late, more)
    kept = await store.get_message(reply.id)
    assert (kept.text, kept.tools, told) == ("xand more", (), [None])


async def test_what_another_server_did_meanwhile_stands(case):
    """A chat that was deleted there stays deleted, and a message that ended stays as it is."""
    store = await case.open()
    chat, gone = a_chat(), a_chat()
    replies = [a_message(chat) for _ in range(2)]
    await store.begin_turn(replies, chat)
    lonely = a_message(gone)
    await store.begin_turn([lonely], gone)
    lock = Lock(case.path, "write")
    for message in (*replies, lonely):
        await store.append(message.id, "ours")
    await store.begin_turn([a_message(gone, "user", "still there?")])
    lock.release()
    other = await make_store(f"sqlite:///{case.path}", owner_process="host:2:b")
    await other.open()
    # It takes this process for dead, whose messages nobody else may end.
    assert await other.settle(replies[1].id, Settlement(MessageState.FAILED)) is None
    end = Interrupt(replies[0].id, Settlement(MessageState.FAILED), "host:1:a")
    assert await other._database.write([end]) != [None]
    await other.delete_chat(gone.id)
    await other.close()
    await case.saved_again()
    first, second = await store.get_messages(chat.id)
    assert (first.state, first.text) == (MessageState.FAILED, "")
    assert (second.state, second.text) == (MessageState.GENERATING, "ours")
    assert await store.get_chat(gone.id) is None


async def test_nobody_is_taken_for_ended_that_could_not_say_that_it_lives(case):
    """B3: a database fails for minutes; of two servers the first to be back leaves the other's."""
    first, second = await case.open("one:1:a"), await case.open("two:1:a")
    chat = a_chat()
    reply = a_message(chat)
    await first.begin_turn([reply], chat)
    seen = processes.c.seen_at
    await first._database.transact(
        lambda connection: connection.execute(update(processes).values(seen_at=seen - 300))
    )
    # Not another process: with two stores in this one, it would find the file's own locks gone.
    with closing(sqlite3.connect(case.path)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        await first.append(reply.id, "kept")
        await second.create_chat(a_chat())
    await second._saver.writer.run(second._saver._try_again)
    assert not second.health()["degraded"]
    await second.recover()
    assert (await second.get_message(reply.id)).state is MessageState.GENERATING
    await first._saver.writer.run(first._saver._try_again)
    assert (await second.get_message(reply.id)).text == "kept"
    # One that says nothing from then on has ended.
    await first._database.transact(
        lambda connection: connection.execute(update(processes).values(seen_at=seen - 300))
    )
    second._saver._well_since -= 300
    await second.recover()
    assert (await second.get_message(reply.id)).state is MessageState.INTERRUPTED


async def test_appends_that_wait_for_room_end_with_the_store(case, monkeypatch):
    monkeypatch.setattr("jupyter_stop_chat.store.degraded.saving.MEMORY_SIZE", 10)
    store = await case.open()
    chat = a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply], chat)
    lock = Lock(case.path, "write")
    try:
        await store.append(reply.id, "x" * 11)
        held = asyncio.ensure_future(store.append(reply.id, "held"))
        await asyncio.sleep(0)
        await store.close()
        with pytest.raises(RuntimeError):
            await held
    finally:
        lock.release()


async def test_what_is_spent_while_nothing_can_be_saved_counts_then_and_later(case):
    """What was spent before is known too; nothing is lost, and nothing counted twice."""

    def paid(tokens: int) -> Settlement:
        bill = Bill("me", "2026-03-09", Spent(input_tokens=tokens))
        return Settlement(MessageState.COMPLETED, bill=bill)

    store = await case.open()
    chat = a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.settle(reply.id, paid(1))
    lock = Lock(case.path, "write")
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply])
    assert case.told == [True]
    await store.settle(reply.id, paid(10))
    await store.spending.add(chat.id, Bill("me", "2026-03-09", Spent(input_tokens=100)))
    assert (await store.spending.on("me", "2026-03-09")).input_tokens == 111
    assert (await store.get_chat(chat.id)).spent == Spent(input_tokens=111)
    lock.release()
    await case.saved_again()
    assert (await store.spending.on("me", "2026-03-09")).input_tokens == 111
    assert (await store.get_chat(chat.id)).spent == Spent(input_tokens=111)
