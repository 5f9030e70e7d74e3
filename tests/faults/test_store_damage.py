"""A database that is damaged: it is set aside, and what can be read of it is brought over."""

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from jupyter_stop_chat.store.degraded.reason import Reason
from jupyter_stop_chat.wire.objects import MessageState
from tests.faults.store_case import DONE, FILL, Lock, a_chat, a_message, a_turn, as_told, case

__all__ = ["case"]


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
    chat = a_chat()
    await store.create_chat(chat)
    assert await store.get_chat(chat.id) == chat


@pytest.mark.parametrize("found_by", ["write", "read"])
async def test_damage_under_a_running_server_costs_no_reply_that_is_being_made(case, found_by):
    """The running reply goes on into the new file, with all the text it had.

    Nothing but the schema is left of the old file here: it holds no chat any more.
    """
    store = await case.open()
    chat, lost = a_chat(title="running"), a_chat(title="lost")
    asked, reply = a_turn(chat)
    await store.begin_turn([a_message(lost, "user", FILL) for _ in range(20)], lost)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "before ")
    store.making = lambda: [as_told(chat, asked, reply, "before ")]
    _damage(case.path)
    if found_by == "read":
        await asyncio.to_thread(store._database._connections._reading.dispose)
        await store.get_messages(lost.id)
    else:
        await store._database.stop_writing()
        await store._database._connections.connect()
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
    chats = [a_chat(title=str(n)) for n in range(30)]
    for chat in chats:
        asked, reply = a_turn(chat, f"prompt of {chat.title} " + FILL)
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
    await store.begin_turn([a_message(chats[3], "user", "on")])


async def test_a_damaged_search_index_is_made_anew(case):
    """The index is derived: for its sake no chat is set aside."""
    store = await case.open()
    chat = a_chat()
    asked, reply = a_turn(chat, "findable")
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


@pytest.mark.parametrize("after", ["a new index", "a locked start"])
async def test_another_process_that_closes_the_file_leaves_its_log(case, after):
    """B3: to examine the file takes no lock away, by which others see that it is in use."""
    store = await case.open()
    chat = a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply], chat)
    if after == "a new index":
        await asyncio.gather(*(store.get_messages(chat.id) for _ in range(8)))
        await store._saver.found_unreadable(Reason.SEARCH_CORRUPT, sqlite3.DatabaseError())
    else:
        await case.close()
        lock = Lock(case.path, "write")
        store = await case.open("host:2:b")
        await asyncio.gather(*(store.get_messages(chat.id) for _ in range(8)))
        lock.release()
        await case.saved_again()
    await store.set_title(chat.id, "title")
    Lock(case.path, "write").release()
    assert case.path.with_name(f"{case.path.name}-wal").exists()


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
    chat = a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store._saver.found_unreadable(Reason.CORRUPT, sqlite3.DatabaseError("it seemed so"))
    assert case.told == [True, False]
    assert store.health()["set_aside"] == []
    await store.append(reply.id, "kept")
    assert [each.text for each in await store.get_messages(chat.id)] == ["Hello?", "kept"]


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
