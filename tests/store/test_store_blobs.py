"""Pictures in the store: whose they are, how long they stay, and what is left of a bad day."""

import asyncio
import hashlib
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from jupyter_stop_chat.ports.pictures import Picture
from jupyter_stop_chat.store.blobs import DRAFT_SECONDS
from jupyter_stop_chat.store.changes import apply
from jupyter_stop_chat.store.degraded.copying import ChatRows, write_messages
from jupyter_stop_chat.store.operations import BeginTurn, Withdraw
from jupyter_stop_chat.store.sqlite.prepare import prepare, url_of
from jupyter_stop_chat.store.sqlite.salvage import salvage
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Attachment
from tests.faults.store_case import Case, a_chat, a_message


def picture_of(data: bytes) -> Picture:
    return Picture(hashlib.sha256(data).hexdigest(), "image/png", 4, 3, len(data))


def attached(*pictures: Picture) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(name="a.png", text="", mime_type=each.mime_type, blob=each.digest)
        for each in pictures
    )


async def _kept(store, data=b"picture", owner="me", most=0) -> Picture:
    picture = picture_of(data)
    await store.blobs.keep(owner, picture, data, most)
    return picture


async def _send(store, make, chat, *pictures, new=True):
    said = make.message(chat, "user", "Look", attachments=attached(*pictures))
    await store.begin_turn([said], chat if new else None)
    return said


async def _grow_old(store) -> None:
    """Let what was uploaded be older than any draft."""
    old = text(f"UPDATE blobs SET drafted_at = drafted_at - {DRAFT_SECONDS + 5}")
    await store._database.transact(lambda connection: connection.execute(old))


async def test_a_picture_is_its_owners_alone(store, make):
    """W23: also when another has the very same."""
    picture = await _kept(store)
    assert await store.blobs.known("me", [picture.digest, "0" * 64]) == {picture.digest: picture}
    assert await store.blobs.read("me", picture.digest) == b"picture"
    assert await store.blobs.known("you", [picture.digest]) == {}
    assert await store.blobs.read("you", picture.digest) is None
    await _kept(store, owner="you")
    chat, theirs = make.chat(), make.chat(owner="you")
    await _send(store, make, chat, picture)
    await _send(store, make, theirs, picture)
    await store.delete_chat(theirs.id)
    assert await store.blobs.read("you", picture.digest) is None
    assert await store.blobs.read("me", picture.digest) == b"picture"


async def test_a_message_holds_what_is_there_or_is_not_written(store, make):
    picture, chat = await _kept(store), make.chat()
    await _send(store, make, chat, picture, picture)
    other = picture_of(b"never uploaded")
    with pytest.raises(StopChatError) as refused:
        await _send(store, make, chat, picture, other, new=False)
    assert refused.value.code is ErrorCode.UNKNOWN_PICTURE
    (said,) = await store.get_messages(chat.id)
    assert [each.blob for each in said.attachments] == [picture.digest] * 2


async def test_it_goes_with_the_last_message_that_holds_it(store, make):
    """W23: not before, and not later."""
    picture = await _kept(store)
    first, second = make.chat(), make.chat()
    await _send(store, make, first, picture)
    await _send(store, make, second, picture)
    await store.delete_chat(first.id)
    assert await store.blobs.read("me", picture.digest) is not None
    await store.delete_chat(second.id)
    assert await store.blobs.read("me", picture.digest) is None


async def test_a_draft_keeps_it_for_a_day(store, make):
    """W23: also where another draft with the same picture was sent, and deleted with its chat."""
    picture = await _kept(store)
    await _kept(store)
    chat = make.chat()
    await _send(store, make, chat, picture)
    await store.delete_chat(chat.id)
    await store.blobs.sweep()
    assert await store.blobs.read("me", picture.digest) is not None
    await _grow_old(store)
    assert await store.blobs.read("me", picture.digest) is not None, "until somebody looks"
    await store.blobs.sweep()
    assert await store.blobs.read("me", picture.digest) is None


async def test_one_that_a_message_holds_is_never_swept(store, make):
    picture, chat = await _kept(store), make.chat()
    await _kept(store, b"forgotten")
    said = await _send(store, make, chat, picture)
    await _grow_old(store)
    await store.blobs.sweep()
    assert await store.blobs.read("me", picture.digest) is not None
    assert await store.blobs.read("me", picture_of(b"forgotten").digest) is None
    await store.amend_prompt(said.id, "Look", None, attachments=())
    assert await store.blobs.read("me", picture.digest) is None, "it was taken off"


async def test_what_an_owner_may_have_is_counted(store, make):
    """W23: what is forgotten makes room; the same picture again takes none."""
    first = await _kept(store, b"x" * 60, most=100)
    with pytest.raises(StopChatError) as refused:
        await _kept(store, b"y" * 60, most=100)
    assert refused.value.code is ErrorCode.TOO_MANY_PICTURES
    await _kept(store, b"x" * 60, most=100)
    await _kept(store, b"y" * 60, owner="you", most=100)
    await _grow_old(store)
    await _kept(store, b"y" * 60, most=100)
    assert await store.blobs.read("me", first.digest) is None


def _salvaged(path):
    """Spoil one picture, set the file aside, and bring over what is sound; count the messages."""
    with closing(sqlite3.connect(path)) as damaged, damaged:
        damaged.execute("UPDATE blobs SET data = x'00' WHERE size = 3")
    aside = path.with_name("aside.sqlite3")
    path.rename(aside)
    prepare(url_of(f"sqlite:///{path}"), busy_seconds=1)
    return salvage(aside, path)


async def test_a_prompt_that_is_taken_back_leaves_its_pictures_to_be_sent_again(store, make):
    """W23: whether it was written was not known, and the person has it in the input yet."""
    picture, chat = await _kept(store), make.chat()
    said = await _send(store, make, chat, picture)
    await store._writer.write(Withdraw((said.id,)))
    await _send(store, make, chat, picture, new=False)
    assert await store.blobs.read("me", picture.digest) == b"picture"


async def test_a_message_that_is_written_twice_takes_no_other_draft(store, make):
    """W23: as after a bad day; the draft is of a second prompt, which is not sent yet."""
    picture, chat = await _kept(store), make.chat()
    said = await _send(store, make, chat, picture)
    await _kept(store)
    rows = ChatRows.of(chat, [said], "host:1:a")
    await store._database.transact(lambda connection: write_messages(connection, rows))
    await store.delete_chat(chat.id)
    assert await store.blobs.read("me", picture.digest) == b"picture"


async def test_a_picture_that_another_server_is_about_to_hold_is_not_swept(
    postgresql, new_store, make
):
    """W23: what it writes is not to be seen yet, and the draft is older than a day."""
    first = await new_store("host:1:a", url=postgresql)
    second = await new_store("host:2:b", url=postgresql)
    await first.open()
    await second.open()
    picture, chat = await _kept(first), make.chat()
    await _grow_old(first)
    said = make.message(chat, "user", "Look", attachments=attached(picture))
    barrier = create_async_engine(url_of(postgresql))
    async with barrier.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(42)"))

        def write(writing):
            apply(writing, [BeginTurn([said], chat)], "host:2:b")
            writing.execute(text("SELECT pg_advisory_xact_lock(42)"))

        writes = asyncio.create_task(second._database.transact(write))
        waits = text("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while not (await connection.execute(waits)).all():
            pass
        await first.blobs.sweep()
        await connection.execute(text("SELECT pg_advisory_unlock(42)"))
        await writes
    await barrier.dispose()
    assert await second.blobs.read("me", picture.digest) == b"picture"


async def test_a_damaged_file_gives_back_its_sound_pictures(new_store, path, make):
    """W23: one whose bytes are not what its name says is none."""
    store = await new_store()
    await store.open()
    sound, broken, chat = await _kept(store), await _kept(store, b"bad"), make.chat()
    here = Attachment(name="Notebook: a.ipynb", text="x = 1", kind="context")
    said = make.message(chat, "user", "Look", attachments=(*attached(sound, broken), here))
    await store.begin_turn([said], chat)
    await store.close()
    assert await asyncio.to_thread(_salvaged, path) == 1
    again = await new_store("host:2:b")
    await again.open()
    assert await again.get_message(said.id) == said
    assert list(await again.blobs.known("me", [sound.digest, broken.digest])) == [sound.digest]
    await again.delete_chat(chat.id)
    assert await again.blobs.read("me", sound.digest) is None, "it was held by that message"


async def test_a_disk_that_fills_up_refuses_a_picture_and_keeps_a_prompt(tmp_path):
    """W23: what was uploaded before can be sent meanwhile, and is still held afterwards."""
    case = Case(tmp_path / "chats.sqlite3")
    store = await case.open()
    picture, chat = await _kept(store), a_chat()
    await store.create_chat(chat)
    pages = await store._database.transact(
        lambda connection: connection.execute(text("PRAGMA page_count")).scalar_one()
    )
    limit = text(f"PRAGMA max_page_count = {pages}")
    await store._database.transact(lambda connection: connection.execute(limit))
    with pytest.raises(StopChatError) as refused:
        await _kept(store, b"z" * 200_000)
    assert refused.value.code is ErrorCode.PICTURES_NOT_SAVED
    assert store.health()["degraded"]
    with pytest.raises(StopChatError) as refused:
        await _kept(store, b"a small one")
    assert refused.value.code is ErrorCode.PICTURES_NOT_SAVED
    said = a_message(chat, "user", "Look", attachments=attached(picture))
    await store.begin_turn([said])
    assert await store.blobs.read("me", picture.digest) == b"picture"
    await store.blobs.sweep()
    # There is room again.
    case.pragmas["max_page_count"] = 1_000_000
    store._database._pragmas["max_page_count"] = 1_000_000
    await case.saved_again()
    assert await store.get_message(said.id) == said
    await _grow_old(store)
    await store.blobs.sweep()
    assert await store.blobs.read("me", picture.digest) == b"picture"
    await _kept(store, b"z" * 200_000)
    await case.close()
