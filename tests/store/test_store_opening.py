"""A store whose database cannot be opened begins in memory, and brings both together later."""

import asyncio
import socket
import sqlite3
from contextlib import closing

import asyncpg
import pytest

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store.degraded import saving
from jupyter_stop_chat.store.sqlite import prepare, processes
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState

DONE = Settlement(MessageState.COMPLETED)


class Again:
    """The wait before the next try, which ends when a test says so."""

    def __init__(self):
        self.told = []
        self._go = asyncio.Event()
        self._saved = asyncio.Event()

    async def sleep(self, seconds):
        await self._go.wait()
        await asyncio.sleep(0.01)  # it is tried until it works

    def tell(self, degraded):
        self.told.append(degraded)
        if not degraded:
            self._saved.set()

    async def saved(self):
        self._go.set()
        await self._saved.wait()


async def _begin(new_store, **options):
    again = Again()
    store = await new_store(sleep=again.sleep, busy_seconds=0.05, **options)
    store.on_degraded = again.tell
    await store.open()
    return store, again


async def _talk(store, make, **more):
    chat = make.chat()
    asked, reply = make.turn(chat, **more)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "answered")
    settled = await store.settle(reply.id, DONE)
    assert settled.text == "answered"
    return chat, settled


async def _fill(new_store, make):
    store = await new_store("host:0:z")
    await store.open()
    chat, reply = await _talk(store, make, request_id=make.id())
    await store.close()
    return chat, reply


def _rows(path, what="*"):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {what} FROM messages ORDER BY seq").fetchall()


async def test_what_both_hold_is_together_when_it_can_be_opened(new_store, path, make):
    """H3: what was there, and what was said meanwhile; a request that both answered too."""
    old, answered = await _fill(new_store, make)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        store, again = await _begin(new_store)
        assert again.told == [True]
        new, said = await _talk(store, make, request_id=answered.request_id)
        assert await store.list_chats("me") == [await store.get_chat(new.id)]
        assert await store.find_request("me", make.id()) is None
        with pytest.raises(StopChatError) as refused:
            await store.get_chat(old.id)
        assert refused.value.code == ErrorCode.NOT_READABLE
    await again.saved()
    assert again.told == [True, False]
    assert [chat.id for chat in await store.list_chats("me")] == [new.id, old.id]
    assert (await store.get_message(answered.id)) == answered
    assert (await store.get_message(said.id)).text == "answered"
    assert (await store.find_request("me", answered.request_id)) == answered


async def test_what_a_newer_version_made_is_neither_written_nor_read(
    new_store, path, make, caplog
):
    """H3, H10: the file stays as it is, byte for byte, its journal too, and the chat goes on."""
    await _fill(new_store, make)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("ALTER TABLE messages RENAME COLUMN text TO words")
        connection.commit()
    before = path.read_bytes()
    store, again = await _begin(new_store)
    chat, said = await _talk(store, make)
    assert await store.get_message(said.id) == said
    assert [each.id for each in await store.list_chats("me")] == [chat.id]
    assert [each.id for each in await store.list_chats("me", query="answered")] == [chat.id]
    assert await store.delete_chat(chat.id)
    assert await store.list_chats("me") == []
    assert store.health()["reason"] == "newer"
    assert "a newer version of jupyter-stop-chat made its schema 9999" in caplog.text
    await store.close()
    assert again.told == [True]
    assert path.read_bytes() == before


@pytest.mark.parametrize("revision", ["0000", "0001a", "somebody's"])
async def test_a_database_of_somebody_elses_is_left_alone(new_store, path, make, revision):
    """H3: a revision that is not known is no reason to refuse every prompt."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        connection.commit()
    store, again = await _begin(new_store)
    await _talk(store, make)
    assert again.told == [True]
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("alembic_version",)]


async def test_a_database_server_that_cannot_be_reached(new_store, make):
    """H3: nobody listens there."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        store, again = await _begin(new_store, url=f"postgresql://me@127.0.0.1:{port}/chats")
        assert again.told == [True]
        assert store.health()["reason"] == "unreachable"
        chat, said = await _talk(store, make, request_id=make.id())
        assert await store.get_messages(chat.id) == [
            await store.get_message(said.reply_to),
            said,
        ]
        with pytest.raises(StopChatError) as refused:
            await store.get_messages(make.id())
        assert refused.value.code == ErrorCode.NOT_READABLE


async def test_a_database_server_that_lets_nobody_in(new_store, make, monkeypatch):
    """H3: a wrong password, no such database, one that just starts: asyncpg's own errors."""

    async def connect(*args, **options):
        raise asyncpg.exceptions.InvalidPasswordError("no")

    monkeypatch.setattr(asyncpg, "connect", connect)
    store, again = await _begin(new_store, url="postgresql://me@127.0.0.1:1/chats")
    assert again.told == [True]
    await _talk(store, make)


async def test_whatever_goes_wrong_in_opening_nothing_is_refused(new_store, make, monkeypatch):
    """H3: also what nobody has thought of."""

    def broken(*args, **options):
        raise RuntimeError("a driver's fault")

    monkeypatch.setattr("jupyter_stop_chat.store.database.prepare", broken)
    store, again = await _begin(new_store)
    assert again.told == [True]
    await _talk(store, make)


async def test_a_home_without_file_locks(new_store, path, make, monkeypatch):
    """H3: SQLite cannot lock there either: the chat goes on, and is saved once that is mended."""
    real = saving.Database.open

    async def no_locks(self, **options):
        if self.in_memory:
            return await real(self, **options)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorname = "SQLITE_IOERR_LOCK"
        raise error

    monkeypatch.setattr(saving.Database, "open", no_locks)
    store, again = await _begin(new_store)
    assert store.health()["reason"] == "io_error"
    chat, said = await _talk(store, make)
    assert await store.get_messages(chat.id)
    monkeypatch.setattr(saving.Database, "open", real)
    await again.saved()
    assert _rows(path, "id")[-1] == (said.id,)


@pytest.mark.parametrize("kind", ["a file in the way", "no locks there"])
async def test_where_no_lock_can_be_taken_chats_are_saved_and_time_decides(
    new_store, path, make, monkeypatch, kind
):
    """H3: without its lock a process is alive as long as it was seen, and not for ever."""
    if kind == "a file in the way":
        path.parent.mkdir()
        processes.lock_folder(path).write_text("")
    else:

        def flock(descriptor, how):
            raise OSError(37, "No locks available")

        monkeypatch.setattr(processes.fcntl, "flock", flock)
    store, again = await _begin(new_store)
    assert again.told == []
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    told = []
    other = await new_store("host:2:b")
    await other.open(told.extend)
    assert told == []
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE processes SET seen_at = seen_at - 61")
        connection.commit()
    await other.recover()
    assert [message.id for message in told] == [reply.id]


async def test_a_disk_that_is_full_when_the_file_is_made(new_store, path, make):
    """H3: a file of no size, and no room for more."""
    pragmas = {"max_page_count": 1}

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "_make_file", full)
        store, again = await _begin(new_store, pragmas=pragmas)
        assert store.health()["reason"] == "disk_full"
        _, said = await _talk(store, make)
    pragmas["max_page_count"] = 100_000
    await again.saved()
    assert _rows(path, "id")[-1] == (said.id,)
