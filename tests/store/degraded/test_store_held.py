"""What is held answers as the database does, whatever is asked of it in whatever order."""

import asyncio
import uuid
from contextlib import AsyncExitStack

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from jupyter_stop_chat.ports.store import Making, Settlement
from jupyter_stop_chat.ports.tools import Change, Told
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
    KeepInstructions,
    MakeThought,
    MarkChanges,
    NoteChange,
    PutCall,
    PutTool,
    Reopen,
    SetInstructions,
    SetState,
    SetTitle,
    Settle,
)
from jupyter_stop_chat.store.rows import CHATS, MESSAGES_OF_CHAT, ONE_MESSAGE, chat_of, message_of
from jupyter_stop_chat.store.schema import (
    chats,
    earlier_requests,
    journal,
    messages,
    sent_instructions,
)
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Chat, Message, MessageState, Receipt, Usage
from jupyter_stop_chat.wire.tools import ToolCall
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
CALLS = st.builds(
    Told,
    step=st.integers(1, 2),
    at=st.just(0),
    call_id=st.sampled_from("ab"),
    name=st.just("look"),
    args=st.just("{}"),
    state=st.sampled_from(["running", "completed"]),
    result=st.none() | st.just("é"),
)
CHANGE = Change("a.ipynb", "insert", "one", "code", after="x", beside={"new_above": None})
STATES = st.sampled_from(list(MessageState))


@st.composite
def _operation(draw):
    chat, message = draw(st.sampled_from(CHATS_IDS)), draw(st.sampled_from(MESSAGE_IDS))
    new_chat = Chat(id=chat, owner="me", created_at=WHEN, updated_at=WHEN)
    kind = draw(
        st.sampled_from([CreateChat, SetTitle, DeleteChat, BeginTurn, SetState, AmendStop])
        | st.sampled_from([Append, Settle, Reopen, PutTool, PutCall, MakeThought])
        | st.sampled_from([SetInstructions, KeepInstructions])
        | st.sampled_from([NoteChange, MarkChanges])
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
    told = draw(st.sampled_from("ab"))
    late = Receipt(requested_at=draw(TIMES), provider="closed", provider_ms=9.5)
    return {
        CreateChat: CreateChat(new_chat),
        SetTitle: SetTitle(chat, draw(st.none() | st.just("title"))),
        DeleteChat: DeleteChat(chat),
        SetInstructions: SetInstructions(chat, draw(TEXT)),
        KeepInstructions: KeepInstructions(message, told * 64, told),
        SetState: SetState(message, draw(STATES)),
        Append: Append(message, draw(TEXT), draw(st.sampled_from(["text", "reasoning"]))),
        MakeThought: MakeThought(message, draw(st.integers(0, 4))),
        Settle: Settle(message, settlement),
        PutTool: PutTool(message, draw(TOOLS)),
        PutCall: PutCall(message, draw(st.integers(0, 2)), draw(CALLS)),
        Reopen: Reopen(
            message,
            draw(st.none() | st.sampled_from(IDS[:2])),
            draw(st.none() | st.just("test:other")),
        ),
        AmendStop: AmendStop(message, late),
        NoteChange: NoteChange(message, draw(st.integers(0, 2)), told, CHANGE),
        MarkChanges: MarkChanges(message, {draw(st.integers(0, 2)): "done"}),
    }[kind]


async def _database():
    database = Database("sqlite://", "host:1:a", 0, {})
    await database.open()
    return database


async def _closed_by(opened):
    """Open one that is closed whatever comes: each has threads, and a failure tries hundreds."""
    database = await _database()
    opened.push_async_callback(database.close)
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

_JOURNAL = (
    select(messages.c.id, journal.c.n, journal.c.call_id, journal.c.state)
    .join(messages, messages.c.seq == journal.c.message)
    .order_by(messages.c.id, journal.c.n)
)


async def _content(database):
    """Read all there is; of a chat all but the time of its change, on which no clocks agree."""
    found = await database.read(CHATS.where(chats.c.owner != NOBODY))
    there = [chat_of({name: row[name] for name in row if name != "changed"}) for row in found]
    own = await database.read(select(chats.c.id, chats.c.instructions).order_by(chats.c.id))
    return (
        {
            (chat.id, chat.owner, chat.title, chat.state): [
                message_of(row) for row in await database.read(MESSAGES_OF_CHAT, {"id": chat.id})
            ]
            for chat in there
        },
        [chat.id for chat in there],
        sorted(tuple(row.values()) for row in await database.read(_EARLIER)),
        [(row["id"], row["instructions"] or "") for row in own if row["id"] != NOBODY],
        sorted(tuple(row.values()) for row in await database.read(select(sent_instructions))),
        [str(tuple(row.values())) for row in await database.read(_JOURNAL)],
    )


async def _save(held, database):
    await database.transact(
        lambda connection: apply_again(connection, held.operations, "host:1:a")
    )


@settings(max_examples=examples(12, 600))
@given(before=st.lists(_operation(), max_size=10), amid=st.lists(_operation(), max_size=30))
def test_what_is_held_and_the_database_agree(before, amid):
    """B3: every operation has the same answer, and applied again they make the same file."""
    asyncio.run(_agree(before, amid))


async def _agree(before, amid):
    async with AsyncExitStack() as opened:
        direct, later = await _closed_by(opened), await _closed_by(opened)
        for operation in before:
            for database in (direct, later):
                await _ask(_applied(database, operation))
        held = Held(later, tuple, lambda rows: {})
        opened.push_async_callback(held.close)
        await held.open()
        for operation in amid:
            expected = await _ask(_applied(direct, operation))
            assert await _ask(held.apply(operation)) == expected, operation
        assert len(held) <= len(amid)
        await _save(held, later)
        assert await _content(later) == await _content(direct)


@settings(max_examples=examples(12, 400))
@given(before=st.lists(_operation(), max_size=20), amid=st.lists(_operation(), max_size=20))
def test_what_is_being_made_is_held_where_the_database_cannot_be_read(before, amid):
    """B3: what is being made goes on as if it could be, and is whole in a file made anew."""
    asyncio.run(_go_on(before, amid))


async def _go_on(before, amid):
    async with AsyncExitStack() as opened:
        direct, lost = await _closed_by(opened), await _closed_by(opened)
        for operation in before:
            for database in (direct, lost):
                await _ask(_applied(database, operation))
        making = await _making(direct)
        live = {each.message_id for each in making}
        await lost.close()
        held = Held(lost, lambda: making, lambda rows: {})
        opened.push_async_callback(held.close)
        await held.open()
        for operation in amid:
            if getattr(operation, "message_id", None) in live and not isinstance(
                operation, Reopen
            ):
                expected = await _ask(_applied(direct, operation))
                assert await _ask(held.apply(operation)) == expected, operation
        for each in making:
            await held.hold(each.chat.id)
        fresh = await _closed_by(opened)
        rows = {each: await read_chat(held.memory, each) for each in held.chats}
        await fresh.transact(lambda connection: write_anew(connection, rows, set()))
        for each in live:
            (expected,) = await direct.read(ONE_MESSAGE, {"id": each})
            (found,) = await fresh.read(ONE_MESSAGE, {"id": each})
            assert message_of(found) == message_of(expected)


async def _making(database):
    """Tell what the engine would of what is being made."""
    content, *_ = await _content(database)
    return [
        Making(
            Chat(id=chat[0], owner=chat[1], created_at=WHEN, updated_at=WHEN),
            message.id,
            None,
            lambda message=message: message,
        )
        for chat, said in content.items()
        for message in said
        if message.state not in TERMINAL
    ]
