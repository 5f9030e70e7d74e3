"""Memory answers as the database does, whatever is asked of it in whatever order."""

import asyncio
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import StaticPool, create_engine, event, select

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store.changes import apply
from jupyter_stop_chat.store.degraded.memory import Memory
from jupyter_stop_chat.store.degraded.restore import restore
from jupyter_stop_chat.store.operations import (
    AmendStop,
    Append,
    BeginTurn,
    CreateChat,
    DeleteChat,
    MakeThought,
    PutTool,
    Reopen,
    SetState,
    SetTitle,
    Settle,
)
from jupyter_stop_chat.store.rows import CHATS, MESSAGES_OF_CHAT, chat_of, message_of
from jupyter_stop_chat.store.schema import earlier_requests, messages, metadata
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState, Receipt, ToolCall, Usage
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


def _database():
    engine = create_engine("sqlite://", poolclass=StaticPool)

    @event.listens_for(engine, "connect")
    def connect(connection, _):
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = on")

    @event.listens_for(engine, "begin")
    def begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    metadata.create_all(engine)
    return engine


def _ask(question):
    try:
        return question()
    except StopChatError as error:
        return error.code


def _comparable(answer):
    """Leave out the time of a chat's last change, which no two clocks agree on."""
    if isinstance(answer, tuple):
        return tuple(map(_comparable, answer))
    if isinstance(answer, Chat):
        return answer.id, answer.owner, answer.title
    if isinstance(answer, list):
        return None
    return answer


_EARLIER = select(earlier_requests.c.request_id, messages.c.id).join(
    messages, earlier_requests.c.message == messages.c.seq
)


def _content(connection):
    chats = [chat_of(dict(row)) for row in connection.execute(CHATS).mappings()]
    return (
        {
            (chat.id, chat.owner, chat.title, chat.state): [
                message_of(dict(row))
                for row in connection.execute(MESSAGES_OF_CHAT, {"id": chat.id}).mappings()
            ]
            for chat in chats
        },
        [chat.id for chat in chats],
        sorted(map(tuple, connection.execute(_EARLIER))),
    )


@settings(max_examples=examples(30, 600))
@given(st.lists(_operation(), max_size=30))
def test_memory_and_database_agree(operations):
    """Every operation has the same answer, and saving memory's content makes the same file."""
    direct, later, memory = _database(), _database(), Memory()
    for operation in operations:

        def in_database(operation=operation):
            with direct.begin() as connection:
                return apply(connection, [operation], "host:1:a")[0]

        expected = _ask(in_database)
        answer = _ask(lambda operation=operation: memory.apply(operation))
        assert _comparable(answer) == _comparable(expected), operation
    with later.begin() as connection:
        restore(connection, memory, "host:1:a")
    with direct.begin() as first, later.begin() as second:
        assert _content(second) == _content(first)
    direct.dispose()
    later.dispose()


@pytest.mark.parametrize(
    ("state", "reason"), [("interrupted", None), ("failed", None), ("completed", "length")]
)
def test_a_reply_that_goes_on_while_nothing_can_be_written_is_saved(state, reason):
    """B3, V9: whatever its end was, the database takes what came after it."""
    engine, memory = _database(), Memory()
    chat = Chat(id=IDS[0], owner="me", created_at=WHEN, updated_at=WHEN)
    reply = Message(
        id=IDS[1], chat_id=chat.id, role="assistant", text="a", text_length=1, state=state,
        created_at=WHEN, request_id=IDS[2], finish_reason=reason,
    )  # fmt: skip
    with engine.begin() as connection:
        apply(connection, [BeginTurn([reply], chat)], "host:1:a")
    memory.learn(chat, reply)
    for operation in (Reopen(reply.id, IDS[3]), Append(reply.id, "b", "text")):
        memory.apply(operation)
    with engine.begin() as connection:
        restore(connection, memory, "host:1:a")
        found = connection.execute(MESSAGES_OF_CHAT, {"id": chat.id}).mappings().one()
        assert message_of(dict(found)) == memory.messages[reply.id].whole()
        assert sorted(map(tuple, connection.execute(_EARLIER))) == [(IDS[2], reply.id)]
    engine.dispose()


@settings(max_examples=examples(20, 400))
@given(st.lists(_operation(), max_size=20), st.lists(_operation(), max_size=20))
def test_what_memory_followed_is_enough_to_write_the_live_ones_anew(before, after):
    """B3: a lost file costs no message that is being made, nor the prompt it answers."""
    engine, memory = _database(), Memory()
    for operation in before + after:
        try:
            with engine.begin() as connection:
                answer = apply(connection, [operation], "host:1:a")[0]
        except StopChatError:
            continue
        memory.follow(operation, answer)
    with engine.begin() as connection:
        content, *_ = _content(connection)
    live = {
        message.id: message
        for messages in content.values()
        for message in messages
        if message.state in {"queued", "generating", "stopping"}
    }
    held = {key: kept.whole() for key, kept in memory.messages.items() if kept.live}
    assert held == live
    memory.mark_all()
    fresh = _database()
    with fresh.begin() as connection:
        restore(connection, memory, "host:1:a")
        restored, *_ = _content(connection)
    saved = {message.id: message for messages in restored.values() for message in messages}
    assert {key: saved[key] for key in live} == live
    engine.dispose()
    fresh.dispose()


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


async def test_a_reply_that_goes_on_beside_another_is_followed_anew(new_store, make):
    """B3: memory holds it as it is now, not as it was when it first ended."""
    store = await new_store()
    await store.open()
    chat = make.chat()
    ended, running = make.message(chat, state="interrupted", text="half"), make.message(chat)
    await store.begin_turn([ended, running], chat)
    await store.reopen(ended.id)
    await store.append(ended.id, " and whole")
    held = store._saver.memory.messages[ended.id].whole()
    assert held == await store.get_message(ended.id)
    assert (held.state, held.text) == (MessageState.QUEUED, "half and whole")
