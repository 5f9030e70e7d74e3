"""What is held answers as the database does, whatever is asked of it in whatever order."""

import asyncio
import sqlite3
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.event import listen

from jupyter_stop_chat.ports.store import Making, Settlement
from jupyter_stop_chat.store.database import Database
from jupyter_stop_chat.store.degraded.copying import read_chat
from jupyter_stop_chat.store.degraded.held import Held
from jupyter_stop_chat.store.degraded.restore import apply_again, write_anew
from jupyter_stop_chat.store.operations import (
    NOBODY,
    AmendStop,
    Append,
    BeginTurn,
    CreateChat,
    DeleteChat,
    MakeThought,
    PutTool,
    Reopen,
    Rewrite,
    SetState,
    SetTitle,
    Settle,
)
from jupyter_stop_chat.store.rows import CHATS, MESSAGES_OF_CHAT, ONE_MESSAGE, chat_of, message_of
from jupyter_stop_chat.store.schema import chats, earlier_requests, messages
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.objects import (
    TERMINAL,
    Chat,
    Message,
    MessageState,
    Receipt,
    ToolCall,
    Usage,
)
from tests.examples import examples

WHEN = "2026-01-01T00:00:00Z"
IDS = [str(uuid.UUID(int=n)) for n in range(1, 9)]
CHATS_IDS, MESSAGE_IDS = IDS[:3], IDS[3:]
TEXT = st.sampled_from(["", "a", "wörd ", "😀", "\ud83d", "\0", "long " * 20])
TIMES = st.sampled_from([WHEN, "2026-01-01T00:00:01Z"])
TOOLS = st.builds(
    ToolCall,
    call_id=st.sampled_from(["a", "b"]),
    name=st.just("look"),
    state=st.sampled_from(["running", "completed"]),
    args=st.sampled_from(["{}", "é"]),
)
STATES = st.sampled_from(list(MessageState))


@st.composite
def _operation(draw):
    chat, message = draw(st.sampled_from(CHATS_IDS)), draw(st.sampled_from(MESSAGE_IDS))
    new_chat = Chat(id=chat, owner="me", created_at=WHEN, updated_at=WHEN)
    kind = draw(
        st.sampled_from([CreateChat, SetTitle, DeleteChat, BeginTurn, SetState, AmendStop])
        | st.sampled_from([Append, Settle, Reopen, PutTool, MakeThought])
    )
    if kind is BeginTurn:
        messages = [
            Message(
                id=each,
                chat_id=chat,
                role=draw(st.sampled_from(["user", "assistant"])),
                text=(text := draw(st.sampled_from(["", "hé"]))),
                text_length=len(text),
                state=draw(STATES),
                created_at=WHEN,
                request_id=draw(st.none() | st.sampled_from(IDS[:2])),
            )
            for each in draw(st.lists(st.sampled_from(MESSAGE_IDS), max_size=2))
        ]
        return BeginTurn(messages, draw(st.none() | st.just(new_chat)))
    settlement = Settlement(
        draw(STATES),
        keep=draw(st.none() | st.integers(0, 8)),
        usage=draw(st.none() | st.just(Usage(output_tokens=3))),
        stop=draw(st.none() | st.builds(Receipt, requested_at=TIMES)),
        tools=draw(st.none() | st.lists(TOOLS, max_size=2).map(tuple)),
    )
    late = Receipt(requested_at=draw(TIMES), provider="closed", provider_ms=9.5)
    return {
        CreateChat: CreateChat(new_chat),
        SetTitle: SetTitle(chat, draw(st.none() | st.just("title"))),
        DeleteChat: DeleteChat(chat),
        SetState: SetState(message, draw(STATES)),
        Append: Append(message, draw(TEXT), draw(st.sampled_from(["text", "reasoning"]))),
        MakeThought: MakeThought(message, draw(st.integers(0, 4))),
        Settle: Settle(message, settlement),
        PutTool: PutTool(message, draw(TOOLS)),
        Reopen: Reopen(
            message,
            draw(st.none() | st.sampled_from(IDS[:2])),
            draw(st.none() | st.just("test:other")),
        ),
        AmendStop: AmendStop(message, late),
    }[kind]


async def _database():
    database = Database("sqlite://", "host:1:a", 0, {})
    await database.open()
    return database


async def _ask(answer):
    try:
        return await answer
    except StopChatError as error:
        return error.code


async def _applied(database, operation):
    (answer,) = await database.write([operation])
    return answer


_EARLIER = select(earlier_requests.c.request_id, messages.c.id).join(
    messages, earlier_requests.c.message == messages.c.seq
)


async def _content(database):
    """Read all there is; of a chat all but the time of its change, on which no clocks agree."""
    found = await database.read(CHATS.where(chats.c.owner != NOBODY))
    there = [chat_of({name: row[name] for name in row if name != "changed"}) for row in found]
    return (
        {
            (chat.id, chat.owner, chat.title, chat.state): [
                message_of(row) for row in await database.read(MESSAGES_OF_CHAT, {"id": chat.id})
            ]
            for chat in there
        },
        [chat.id for chat in there],
        sorted(tuple(row.values()) for row in await database.read(_EARLIER)),
    )


async def _save(held, database):
    await database.transact(
        lambda connection: apply_again(connection, held.operations, "host:1:a")
    )


@settings(max_examples=examples(30, 600))
@given(before=st.lists(_operation(), max_size=10), amid=st.lists(_operation(), max_size=30))
def test_what_is_held_and_the_database_agree(before, amid):
    """B3: every operation has the same answer, and applied again they make the same file."""
    asyncio.run(_agree(before, amid))


async def _agree(before, amid):
    direct, later = await _database(), await _database()
    for operation in before:
        for database in (direct, later):
            await _ask(_applied(database, operation))
    held = Held(later, tuple, lambda rows: {})
    await held.open()
    for operation in amid:
        expected = await _ask(_applied(direct, operation))
        assert await _ask(held.apply(operation)) == expected, operation
    assert len(held) <= len(amid)
    await _save(held, later)
    assert await _content(later) == await _content(direct)
    for each in (held, direct, later):
        await each.close()


@settings(max_examples=examples(20, 400))
@given(before=st.lists(_operation(), max_size=20), amid=st.lists(_operation(), max_size=20))
def test_what_is_being_made_is_held_where_the_database_cannot_be_read(before, amid):
    """B3: what is being made goes on as if it could be, and is whole in a file made anew."""
    asyncio.run(_go_on(before, amid))


async def _go_on(before, amid):
    direct, lost = await _database(), await _database()
    for operation in before:
        for database in (direct, lost):
            await _ask(_applied(database, operation))
    making = await _making(direct)
    live = {each.reply.id for each in making}
    await lost.close()
    held = Held(lost, lambda: making, lambda rows: {})
    await held.open()
    for operation in amid:
        if getattr(operation, "message_id", None) in live and not isinstance(operation, Reopen):
            expected = await _ask(_applied(direct, operation))
            assert await _ask(held.apply(operation)) == expected, operation
    for each in making:
        await held.hold(each.chat.id)
    fresh = await _database()
    rows = {each: await read_chat(held.memory, each) for each in held.chats}
    await fresh.transact(lambda connection: write_anew(connection, rows, set()))
    for each in live:
        (expected,) = await direct.read(ONE_MESSAGE, {"id": each})
        (found,) = await fresh.read(ONE_MESSAGE, {"id": each})
        assert message_of(found) == message_of(expected)
    for each in (held, direct, fresh):
        await each.close()


async def _making(database):
    """Tell what the engine would of what is being made."""
    content, *_ = await _content(database)
    return [
        Making(Chat(id=chat[0], owner=chat[1], created_at=WHEN, updated_at=WHEN), None, message)
        for chat, said in content.items()
        for message in said
        if message.state not in TERMINAL
    ]


@pytest.mark.parametrize("told", ["readable", "unreadable"])
async def test_what_was_committed_though_that_was_said_to_have_failed_is_there_once(told):
    """B3: a connection may break between a commit and its answer; text must not be doubled."""
    database = await _database()
    chat = Chat(id=IDS[0], owner="me", created_at=WHEN, updated_at=WHEN)
    reply = Message(
        id=IDS[1], chat_id=chat.id, role="assistant", text="", text_length=0,
        state=MessageState.GENERATING, created_at=WHEN,
    )  # fmt: skip
    await database.write([BeginTurn([reply], chat)])
    await database.write([Append(reply.id, "one ", "text")])
    known = reply.model_copy(update={"text": "one ", "text_length": 4})
    unanswered = [Append(reply.id, "two ", "text"), Append(reply.id, "hm", "reasoning")]
    await database.write(unanswered)
    database.readable = told == "readable"
    held = Held(database, lambda: [Making(chat, None, known)], lambda rows: {})
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
    replies = [
        Message(
            id=each, chat_id=chat.id, role="assistant", text="", text_length=0,
            state=MessageState.GENERATING, created_at=WHEN,
        )
        for each in IDS[1:3]
    ]  # fmt: skip
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
    reply = Message(
        id=IDS[1], chat_id=chat.id, role="assistant", text="before ", text_length=7,
        state=MessageState.GENERATING, created_at=WHEN,
    )  # fmt: skip
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
