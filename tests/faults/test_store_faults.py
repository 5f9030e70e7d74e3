"""When the database fails, the reply goes on, the person is told once, and nothing is lost."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from jupyter_stop_chat.errors import ErrorCode, StopChatError
from jupyter_stop_chat.protocol import Chat, Message, MessageState, Receipt
from jupyter_stop_chat.store import make_store
from jupyter_stop_chat.store.base import Settlement
from jupyter_stop_chat.store.operations import Interrupt
from jupyter_stop_chat.store.saving import RETRIES
from jupyter_stop_chat.store.trouble import Reason

WHEN = "2026-01-01T00:00:00Z"
DONE = Settlement(MessageState.COMPLETED)
FILL = "fill " * 2000


def _chat(**more) -> Chat:
    values = {"owner": "me", "created_at": WHEN, "updated_at": WHEN, **more}
    return Chat(id=str(uuid.uuid4()), **values)


def _message(chat: Chat, role="assistant", text="", **more) -> Message:
    state = "generating" if role == "assistant" else "completed"
    values = {"id": str(uuid.uuid4()), "created_at": WHEN, "state": state, **more}
    return Message(chat_id=chat.id, role=role, text=text, text_length=len(text), **values)


def _turn(chat: Chat, prompt="Hello?", **more) -> tuple[Message, Message]:
    asked = _message(chat, "user", prompt)
    return asked, _message(chat, reply_to=asked.id, **more)


class Pause:
    """Stand in for `asyncio.sleep`: a wait ends when the test says so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self._go: asyncio.Queue[None] = asyncio.Queue()

    async def __call__(self, seconds: float) -> None:
        self.asked.put_nowait(seconds)
        await self._go.get()

    async def end(self) -> float:
        seconds = await self.asked.get()
        self._go.put_nowait(None)
        return seconds


class Case:
    """A store on a file, with its waits in the test's hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pause = Pause()
        self.pragmas: dict[str, int] = {}
        self.told: list[bool] = []
        self.recovered: list[Message] = []
        self._stores = []
        self._change = asyncio.Event()

    async def open(self, process="host:1:a", url=None):
        store = await make_store(
            url or f"sqlite:///{self.path}",
            owner_process=process,
            busy_seconds=0.05,
            pragmas=self.pragmas,
            sleep=self.pause,
        )
        store.on_trouble = self._tell
        self._stores.append(store)
        with blockbuster_ctx():  # nothing on the way blocks the loop
            await store.open(self.recovered.extend)
        return store

    def _tell(self, troubled: bool) -> None:
        self.told.append(troubled)
        self._change.set()

    async def saved_again(self) -> None:
        """End waits until the store says that all is well; nothing blocks the loop meanwhile."""
        with blockbuster_ctx():
            await self._saved_again()

    async def _saved_again(self) -> None:
        while self.told[-1]:
            self._change.clear()
            await self.pause.end()
            done = [
                asyncio.create_task(self._change.wait()),
                asyncio.create_task(_next(self.pause.asked)),
            ]
            await asyncio.wait(done, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.cancel()
            await asyncio.gather(*done, return_exceptions=True)

    async def close(self) -> None:
        with blockbuster_ctx():
            for store in self._stores:
                await store.close()


async def _next(queue: asyncio.Queue[float]) -> None:
    queue.put_nowait(await queue.get())


@pytest.fixture
def case(tmp_path, jp_asyncio_loop):
    made = Case(tmp_path / "data" / "chats.sqlite3")
    yield made
    jp_asyncio_loop.run_until_complete(made.close())


class Lock:
    """Another process that holds the database's lock."""

    def __init__(self, path: Path, kind: str) -> None:
        script = (
            "import sqlite3, sys\n"
            "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "mode = 'exclusive' if sys.argv[2] == 'all' else 'normal'\n"
            "c.execute('PRAGMA locking_mode=' + mode)\n"
            "c.execute('BEGIN IMMEDIATE')\n"
            "print('held', flush=True)\n"
            "sys.stdin.read()\n"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", script, str(path), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout.readline() == b"held\n"

    def release(self) -> None:
        self._process.communicate()


async def _whole_life(case: Case, store, fail, mend, reason: str) -> None:
    """Go through a failure with every operation, and compare with what is in the file after."""
    old, kept, doomed, fresh = (_chat(title=name) for name in ("old", "kept", "doomed", "fresh"))
    asked, reply = _turn(old)
    stopped_asked, stopped = _turn(kept)
    await store.begin_turn([asked, reply], old)
    await store.begin_turn([stopped_asked, stopped], kept)
    await store.begin_turn(_turn(doomed), doomed)
    await store.append(reply.id, "before, ")
    await store.append(stopped.id, "partial")
    await store.settle(stopped.id, Settlement(MessageState.INTERRUPTED))
    slow = _message(kept)
    await store.begin_turn([slow])
    receipt = Receipt(requested_at=WHEN, provider="still_finishing")
    await store.settle(slow.id, Settlement(MessageState.INTERRUPTED, stop=receipt))
    assert case.told == []

    await fail()
    await asyncio.gather(*(store.append(reply.id, f"{n} ") for n in range(3)))
    assert case.told == [True]
    health = store.health()
    assert (health["degraded"], health["reason"]) == (True, reason)
    assert (await store.get_message(reply.id)).text == "before, 0 1 2 "

    new_asked, new_reply = _turn(fresh, request_id=str(uuid.uuid4()))
    await store.begin_turn([new_asked, new_reply], fresh)
    await store.append(new_reply.id, "new 😀")
    await store.append(new_reply.id, "thought", "reasoning")
    assert await store.set_state(new_reply.id, MessageState.STOPPING)
    assert (await store.get_chat(fresh.id)).state == "generating"
    settled = await store.settle(new_reply.id, Settlement(MessageState.INTERRUPTED, keep=5))
    assert (settled.text, settled.reasoning) == ("new ", "thought")
    assert await store.settle(new_reply.id, DONE) is None
    assert await store.find_request("me", new_reply.request_id) == settled
    assert (await store.reopen(stopped.id)).text == "partial"
    await store.append(stopped.id, " and more")
    receipt = receipt.model_copy(update={"provider": "closed", "provider_ms": 2500.0})
    await store.amend_stop(slow.id, receipt)
    assert (await store.get_message(slow.id)).stop == receipt
    assert await store.set_title(kept.id, "renamed")
    assert await store.delete_chat(doomed.id)
    assert await store.get_chat(doomed.id) is None
    assert await store.get_messages(doomed.id) == []
    follow_up = _message(old, "user", "And?", reply_to=reply.id)
    await store.begin_turn([follow_up])
    listed = await store.list_chats("me")
    assert [chat.title for chat in listed] == ["old", "renamed", "fresh"]
    assert [chat.title for chat in await store.list_chats("me", before=listed[0].id)] == [
        "renamed",
        "fresh",
    ]
    assert [chat.title for chat in await store.list_chats("me", query="more partial")] == [
        "renamed"
    ]
    thread = await store.get_thread(follow_up.id)
    assert [message.id for message in thread] == [asked.id, reply.id, follow_up.id]
    seen = {chat.id: await store.get_messages(chat.id) for chat in listed}
    assert [len(messages) for messages in seen.values()] == [3, 3, 2]
    assert case.told == [True]

    assert await case.pause.end() == RETRIES[0]
    assert await case.pause.asked.get() == RETRIES[1]
    case.pause.asked.put_nowait(0)
    assert case.told == [True]

    await mend()
    await case.saved_again()
    assert case.told == [True, False]
    health = store.health()
    assert (health["degraded"], health["reason"], health["backlog"]) == (False, None, 0)
    assert {chat.id: await store.get_messages(chat.id) for chat in listed} == seen
    after = await store.list_chats("me")
    assert [chat.title for chat in after] == ["old", "renamed", "fresh"]
    assert await store.get_chat(doomed.id) is None

    await store.append(reply.id, "after")
    assert (await store.settle(reply.id, DONE)).text == "before, 0 1 2 after"
    await store.settle(stopped.id, DONE)
    await case.close()
    again = await case.open("host:2:b")
    assert case.recovered == []
    assert (await again.get_message(reply.id)).text == "before, 0 1 2 after"
    assert (await again.get_message(stopped.id)).text == "partial and more"
    assert (await again.get_message(slow.id)).stop == receipt
    assert await again.get_message(new_reply.id) == settled


async def test_a_full_disk(case):
    """B3: SQLITE_FULL. Reads go on from the file and from memory."""
    store = await case.open()

    async def fail() -> None:
        # A limit on the pages is a real SQLITE_FULL; the writer takes it up at its next connect.
        case.pragmas["max_page_count"] = 1
        await store._database.stop_writing()
        await store._database.open()
        filler = _chat(owner="filler")
        await store.begin_turn([_message(filler, "user", FILL)], filler)

    async def mend() -> None:
        del case.pragmas["max_page_count"]

    await _whole_life(case, store, fail, mend, "disk_full")


async def test_a_lock_that_another_process_holds_for_long(case):
    """SQLITE_BUSY, with reads that still work: WAL."""
    store = await case.open()
    locks = []

    async def fail() -> None:
        locks.append(Lock(case.path, "write"))

    async def mend() -> None:
        locks.pop().release()

    await _whole_life(case, store, fail, mend, "locked")


async def test_a_locked_file_at_the_start(case):
    """A server starts, works in memory, and saves once the lock is gone."""
    store = await case.open()
    old = _chat(title="old")
    await store.begin_turn(_turn(old), old)
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
        new = _chat(title="new")
        asked, reply = _turn(new)
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
    old = _chat(title="old")
    asked, reply = _turn(old)
    await store.begin_turn([asked, reply], old)
    await store.settle(reply.id, DONE)
    await case.close()
    before = case.path.read_bytes()
    store = await case.open("host:2:b", f"sqlite:///file:{case.path}?mode=ro&uri=true")
    assert case.told == [True]
    assert store.health()["reason"] == "read_only"
    assert [chat.title for chat in await store.list_chats("me")] == ["old"]
    more = _message(old, "user", "more", reply_to=reply.id)
    await store.begin_turn([more])
    assert [each.id for each in await store.get_thread(more.id)] == [asked.id, reply.id, more.id]
    await store.close()
    assert case.path.read_bytes() == before


async def test_a_folder_that_cannot_be_made(case):
    """A file is where the folder should be; once it is gone, all is saved."""
    case.path.parent.write_text("in the way")
    store = await case.open()
    assert store.health()["reason"] == "missing"
    chat = _chat()
    asked, reply = _turn(chat)
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
    chat = _chat()
    asked, reply = _turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "before ")
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


async def test_garbage_in_the_header_is_set_aside(case):
    """A file that is no database is kept under another name, and a new one is begun."""
    case.path.parent.mkdir()
    case.path.write_bytes(b"This is no database. " * 500)
    case.path.with_name("chats.sqlite3-wal").write_bytes(b"nor is this")
    store = await case.open()
    assert case.told == [True, False]
    (name,) = store.health()["set_aside"]
    aside = case.path.with_name(name)
    assert name.startswith("chats.sqlite3.corrupt-")
    assert aside.read_bytes() == b"This is no database. " * 500
    assert aside.with_name(f"{name}-wal").read_bytes() == b"nor is this"
    chat = _chat()
    await store.create_chat(chat)
    assert await store.get_chat(chat.id) == chat


@pytest.mark.parametrize("found_by", ["write", "read"])
async def test_damage_under_a_running_server_costs_no_reply_that_is_being_made(case, found_by):
    """The running reply goes on into the new file, with all the text it had.

    Nothing but the schema is left of the old file here: it holds no chat any more.
    """
    store = await case.open()
    chat, lost = _chat(title="running"), _chat(title="lost")
    asked, reply = _turn(chat)
    await store.begin_turn([_message(lost, "user", FILL) for _ in range(20)], lost)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "before ")
    _damage(case.path)
    if found_by == "read":
        for database in store._database._engines:
            await database.dispose()
        await store.get_messages(lost.id)
    else:
        await store._database.stop_writing()
        store._database._writer = await store._database._engines[0].connect()
    await store.append(reply.id, "after")
    assert case.told == [True, False]
    assert len(store.health()["set_aside"]) == 1
    assert (await store.settle(reply.id, DONE)).text == "before after"
    assert [each.text for each in await store.get_messages(chat.id)] == [
        "Hello?",
        "before after",
    ]
    assert [each.title for each in await store.list_chats("me")] == ["running"]
    await case.close()
    again = await case.open("host:2:b")
    assert (await again.get_message(reply.id)).text == "before after"


async def test_what_a_damaged_page_does_not_hide_is_salvaged(case):
    """One bad page costs what is on it: the other chats are there as before."""
    store = await case.open()
    chats = [_chat(title=str(n)) for n in range(30)]
    for chat in chats:
        asked, reply = _turn(chat, f"prompt of {chat.title} " + FILL)
        await store.begin_turn([asked, reply], chat)
        await store.append(reply.id, f"reply to {chat.title}")
        if chat is not chats[-1]:
            await store.settle(reply.id, DONE)
    before = {chat.id: await store.get_messages(chat.id) for chat in chats}
    await case.close()
    _hide(case.path, b"prompt of 15 ")
    store = await case.open("host:2:b")
    if not case.told:
        for chat in chats:
            await store.get_messages(chat.id)
    assert case.told == [True, False]
    whole = 0
    for chat in chats[:-1]:
        found = await store.get_messages(chat.id)
        assert all(message in before[chat.id] for message in found)
        whole += found == before[chat.id]
    assert whole >= 25
    (interrupted,) = [each for each in case.recovered if each.chat_id == chats[-1].id]
    assert (interrupted.text, interrupted.state) == ("reply to 29", MessageState.INTERRUPTED)
    assert chats[3].id in {chat.id for chat in await store.list_chats("me", query="reply 3")}
    await store.begin_turn([_message(chats[3], "user", "on")])


async def test_a_damaged_search_index_is_made_anew(case):
    """The index is derived: for its sake no chat is set aside."""
    store = await case.open()
    chat = _chat()
    asked, reply = _turn(chat, "findable")
    await store.begin_turn([asked, reply], chat)
    connection = sqlite3.connect(case.path)
    with connection:
        connection.execute("UPDATE message_search_data SET block = x'00ff00ff00ff'")
    connection.close()
    await store.append(reply.id, "words")
    settled = await store.settle(reply.id, DONE)
    assert settled.text == "words"
    found = [chat.id for chat in await store.list_chats("me", query="findable")]
    assert found == [chat.id]
    assert store.health()["set_aside"] == []
    assert not store.health()["degraded"]


async def test_trouble_that_outlives_the_server_is_logged(case, caplog):
    """What could not be saved to the end is counted in the log, and close still ends."""
    store = await case.open()
    lock = Lock(case.path, "write")
    try:
        chat = _chat()
        await store.begin_turn(_turn(chat), chat)
        await store.close()
    finally:
        lock.release()
    assert "2 messages could not be saved" in caplog.text


async def test_close_saves_what_trouble_held_up(case):
    store = await case.open()
    lock = Lock(case.path, "write")
    chat = _chat()
    asked, reply = _turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "kept")
    lock.release()
    await store.close()
    again = await case.open("host:2:b")
    assert (await again.get_message(reply.id)).text == "kept"


async def test_memory_is_bounded(case, monkeypatch):
    """Rule 8: with too much in memory, text waits; what ends a message does not."""
    monkeypatch.setattr("jupyter_stop_chat.store.saving.MEMORY_SIZE", 100)
    store = await case.open()
    chat = _chat()
    asked, reply = _turn(chat)
    await store.begin_turn([asked, reply], chat)
    lock = Lock(case.path, "write")
    try:
        await store.append(reply.id, "x" * 101)
        held = asyncio.create_task(store.append(reply.id, "held"))
        other = _chat()
        await store.begin_turn(_turn(other), other)
        assert not held.done()
    finally:
        lock.release()
    await case.saved_again()
    await held
    assert (await store.get_message(reply.id)).text == "x" * 101 + "held"


async def test_what_another_server_did_meanwhile_stands(case):
    """A chat that was deleted there stays deleted, and a message that ended stays as it is."""
    store = await case.open()
    chat, gone = _chat(), _chat()
    replies = [_message(chat) for _ in range(2)]
    await store.begin_turn(replies, chat)
    lonely = _message(gone)
    await store.begin_turn([lonely], gone)
    lock = Lock(case.path, "write")
    for message in (*replies, lonely):
        await store.append(message.id, "ours")
    await store.begin_turn([_message(gone, "user", "still there?")])
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


def _damage(path: Path) -> None:
    """Overwrite all pages but those of the schema with garbage, in the file, with no log left."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    pages = [path.read_bytes()[at : at + 4096] for at in range(0, path.stat().st_size, 4096)]
    path.write_bytes(
        b"".join(
            page if at == 0 or b"CREATE " in page else os.urandom(len(page))
            for at, page in enumerate(pages)
        )
    )


async def test_an_error_that_passes_sets_nothing_aside(case):
    """Looked at twice: a sound file stays where it is, whatever one read said."""
    store = await case.open()
    chat = _chat()
    asked, reply = _turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store._saver.found_unreadable(Reason.CORRUPT, sqlite3.DatabaseError("it seemed so"))
    assert case.told == [True, False]
    assert store.health()["set_aside"] == []
    await store.append(reply.id, "kept")
    assert [each.text for each in await store.get_messages(chat.id)] == ["Hello?", "kept"]


async def test_appends_that_wait_for_room_end_with_the_store(case, monkeypatch):
    monkeypatch.setattr("jupyter_stop_chat.store.saving.MEMORY_SIZE", 10)
    store = await case.open()
    chat = _chat()
    asked, reply = _turn(chat)
    await store.begin_turn([asked, reply], chat)
    lock = Lock(case.path, "write")
    try:
        await store.append(reply.id, "x" * 11)
        held = asyncio.create_task(store.append(reply.id, "held"))
        await asyncio.sleep(0)
        await store.close()
        with pytest.raises(RuntimeError):
            await held
    finally:
        lock.release()


def _hide(path: Path, text: bytes) -> None:
    """Overwrite the page of the file that holds a text."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    place = path.read_bytes().index(text) // size * size
    with path.open("r+b") as file:
        file.seek(place)
        file.write(os.urandom(size))
