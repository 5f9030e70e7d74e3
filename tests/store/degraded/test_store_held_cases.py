"""Cases of what is held in memory while a database cannot be written."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import select
from sqlalchemy.event import listen

from jupyter_stop_chat.ports.store import Making, Settlement
from jupyter_stop_chat.store.degraded.copying import read_chat
from jupyter_stop_chat.store.degraded.held import Held
from jupyter_stop_chat.store.degraded.restore import write_anew
from jupyter_stop_chat.store.operations import (
    Append,
    BeginTurn,
    Rewrite,
    SetInstructions,
    SetTitle,
    Settle,
)
from jupyter_stop_chat.store.rows import MESSAGES_OF_CHAT, ONE_MESSAGE, message_of
from jupyter_stop_chat.store.schema import (
    chats,
)
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState
from tests.store.degraded.test_store_held import (
    CHATS_IDS,
    IDS,
    MESSAGE_IDS,
    WHEN,
    _database,
    _save,
)


def _generating(chat, message_id, text=""):
    """Make a reply that is being made."""
    return Message(
        id=message_id, chat_id=chat.id, role="assistant", text=text, text_length=len(text),
        state=MessageState.GENERATING, created_at=WHEN,
    )  # fmt: skip


@pytest.mark.parametrize("amid", [None, "", "Other."])
async def test_what_was_salvaged_of_a_chats_instructions_stays_unless_others_were_given(amid):
    """B3: of a chat that could not be read only what is being made is known."""
    chat = Chat(id=IDS[0], owner="me", created_at=WHEN, updated_at=WHEN)
    reply = _generating(chat, IDS[1])
    lost, salvaged = await _database(), await _database()
    await salvaged.write([BeginTurn([reply], chat), SetInstructions(chat.id, "Be brief.")])
    await lost.close()
    held = Held(lost, lambda: [Making(chat, reply.id, None, lambda: reply)], lambda rows: {})
    await held.open()
    await held.apply(Append(reply.id, "one", "text"))
    if amid is not None:
        assert await held.apply(SetInstructions(chat.id, amid))
    rows = {chat.id: await read_chat(held.memory, chat.id)}
    await salvaged.transact(lambda connection: write_anew(connection, rows, set()))
    (found,) = await salvaged.read(select(chats.c.instructions))
    assert (found["instructions"] or "") == ("Be brief." if amid is None else amid)
    for each in (held, salvaged):
        await each.close()


@pytest.mark.parametrize("told", ["readable", "unreadable"])
async def test_what_was_committed_though_that_was_said_to_have_failed_is_there_once(told):
    """B3: a connection may break between a commit and its answer; text must not be doubled."""
    database = await _database()
    chat = Chat(id=IDS[0], owner="me", created_at=WHEN, updated_at=WHEN)
    reply = _generating(chat, IDS[1])
    await database.write([BeginTurn([reply], chat)])
    await database.write([Append(reply.id, "one ", "text")])
    known = reply.model_copy(update={"text": "one ", "text_length": 4})
    unanswered = [Append(reply.id, "two ", "text"), Append(reply.id, "hm", "reasoning")]
    await database.write(unanswered)
    database.readable = told == "readable"
    held = Held(database, lambda: [Making(chat, known.id, None, lambda: known)], lambda rows: {})
    await held.open()
    for operation in [*unanswered, Append(reply.id, "three", "text")]:
        await held.apply(operation)
    database.readable = True
    await _save(held, database)
    (found,) = await database.read(ONE_MESSAGE, {"id": reply.id})
    message = message_of(found)
    assert (message.text, message.reasoning) == ("one two three", "hm")
    for each in (held, database):
        await each.close()


async def test_a_word_that_is_appended_costs_no_place_of_its_own():
    """B3: a model that goes on for hours while the disk is full is one long text."""
    database = await _database()
    chat = Chat(id=IDS[0], owner="me", created_at=WHEN, updated_at=WHEN)
    replies = [_generating(chat, each) for each in IDS[1:3]]
    held = Held(database, tuple, lambda rows: {})
    await held.open()
    await held.apply(BeginTurn(replies, chat))
    for n in range(20):
        await held.apply(Append(replies[n % 2].id, "word ", "text"))
        if n == 9:
            await held.apply(SetTitle(chat.id, "title"))
    assert len(held) == 4
    await held.apply(Append(replies[0].id, "a thought", "reasoning"))
    await held.apply(Append(replies[0].id, "end", "text"))
    assert len(held) == 6
    saved = []
    listen(database._connections._writing, "savepoint", lambda *given: saved.append(given))
    await _save(held, database)
    assert len(saved) == 2  # of what is no text
    for row in await database.read(MESSAGES_OF_CHAT, {"id": chat.id}):
        assert message_of(row).text.count("word ") == 10
    for each in (held, database):
        await each.close()


async def test_a_text_that_is_written_anew_lies_as_if_it_had_been_appended():
    """B3, H3: a long one is put whole neither into its row nor into the index."""
    database = await _database()
    chat = Chat(id=IDS[0], owner="me", created_at=WHEN, updated_at=WHEN)
    reply = _generating(chat, IDS[1], "before ")
    await database.write([BeginTurn([reply], chat)])
    text = "before " + "wörd 😀 " * 60_000
    for told in (text, "another " + text):
        await database.write([Append(reply.id, "in doubt", "text")])
        await database.write([Rewrite(reply.id, told, "a thought")])
        (found,) = await database.read(ONE_MESSAGE, {"id": reply.id})
        assert found["text"] == ("before " if told is text else "")
        message = message_of(found)
        assert (message.text, message.reasoning) == (told, "a thought")
        assert message.text_length == len(told.encode("utf-16-le")) // 2
    await database.write([Settle(reply.id, Settlement(MessageState.COMPLETED))])
    (found,) = await database.read(ONE_MESSAGE, {"id": reply.id})
    assert message_of(found).text == "another " + text
    assert len(found["text"]) < 400_000
    await database.close()


async def test_a_chat_that_is_held_takes_the_place_of_what_was_saved_of_it(make):
    """B3: a damaged page hides some messages; what fills the gap stands where it stood."""
    first, second = await _database(), await _database()
    chat = make.chat()
    said = [make.message(chat, "user", f"{n}") for n in range(4)]
    await first.write([BeginTurn(said, chat)])
    await second.write([BeginTurn([said[0], said[3]], chat)])
    rows = {chat.id: await read_chat(first, chat.id)}
    await second.transact(lambda connection: write_anew(connection, rows, {chat.id}))
    found = await second.read(MESSAGES_OF_CHAT, {"id": chat.id})
    assert [message_of(row) for row in found] == said
    for each in (first, second):
        await each.close()


async def test_what_others_wait_for_is_few_statements(new_store, path, make):
    """B3: a chat of thousands is copied at once, and so are the words that came meanwhile."""
    store = await new_store(busy_seconds=0.01)
    await store.open()
    chat, other = make.chat(), make.chat()
    said = [make.message(chat, "user", f"{n}") for n in range(1000)]
    await store.add_chat(chat, said)
    replies = [make.message(other) for _ in range(3)]
    await store.begin_turn(replies, other)
    lock = sqlite3.connect(path)
    lock.execute("BEGIN IMMEDIATE")
    await store.set_title(other.id, "held")
    statements = []
    memory = store._saver.held.memory._connections._writing
    listen(memory, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await store.set_title(chat.id, "long")
    assert await store.get_messages(chat.id) == said
    assert len(statements) < 50
    statements.clear()
    await asyncio.gather(*(store.append(replies[n % 3].id, f"{n} ") for n in range(200)))
    assert len(statements) < 20
    assert sum(len(each.text) for each in await store.get_messages(other.id)) == 690
    lock.close()


async def test_a_reader_that_began_before_the_saving_sees_everything(new_store, make):
    """While memory is emptied into the file, no read falls in between."""
    store = await new_store()
    await store.open()
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    reader = store._saver.reader()
    reads = [asyncio.create_task(reader.get_messages(chat.id)) for _ in range(3)]
    await store.append(reply.id, "x")
    for read in reads:
        assert len(await read) == 2


async def test_to_hold_one_chat_reads_no_text_of_the_others():
    """B3: 64 long replies at once must not each be put together for each of them."""
    database = await _database()
    chats_ = [Chat(id=each, owner="me", created_at=WHEN, updated_at=WHEN) for each in CHATS_IDS]
    read = []
    making = []
    for chat, message_id in zip(chats_, MESSAGE_IDS, strict=False):
        reply = _generating(chat, message_id)
        await database.write([BeginTurn([reply], chat)])

        def told(reply=reply):
            read.append(reply.id)
            return reply

        making.append(Making(chat, reply.id, None, told))
    held = Held(database, lambda: making, lambda rows: {})
    await held.open()
    await held.apply(Append(MESSAGE_IDS[0], "one", "text"))
    database.readable = False
    await held.apply(Append(MESSAGE_IDS[1], "two", "text"))
    assert read == MESSAGE_IDS[:2]
    for each in (held, database):
        await each.close()


async def test_a_turn_that_was_refused_hides_no_message_of_another_chat():
    """B3: what its messages are called may be called so elsewhere, where words go on coming."""
    database = await _database()
    chat = Chat(id=IDS[0], owner="me", created_at=WHEN, updated_at=WHEN)
    reply = _generating(chat, MESSAGE_IDS[0])
    await database.write([BeginTurn([reply], chat)])
    held = Held(database, tuple, lambda rows: {})
    await held.open()
    nowhere = reply.model_copy(update={"chat_id": CHATS_IDS[1]})
    with pytest.raises(StopChatError):
        await held.apply(BeginTurn([nowhere], None))
    await held.apply(Append(reply.id, "word", "text"))
    (row,) = await held.memory.read(ONE_MESSAGE, {"id": reply.id})
    assert message_of(row).text == "word"
    for each in (held, database):
        await each.close()
