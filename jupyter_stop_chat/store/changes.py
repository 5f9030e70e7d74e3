"""Apply operations to the database, inside a transaction that the caller opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from jupyter_stop_chat.ports.store import put
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Message, Receipt, ToolCall
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.utf16 import utf16_length, whole

from .appends import append
from .operations import (
    NOBODY,
    AmendPrompt,
    AmendStop,
    Append,
    Beat,
    BeginTurn,
    CreateChat,
    DeleteChat,
    DropMessages,
    GiveChat,
    Interrupt,
    MakeThought,
    Operation,
    PutTool,
    Reopen,
    Rewrite,
    SetState,
    SetTitle,
    Settle,
    Withdraw,
)
from .rows import ONE_CHAT, chat_of, column_of, row_of_chat, row_of_message
from .schema import (
    IS_LIVE,
    LIVE,
    NOW_SECONDS,
    chats,
    earlier_requests,
    messages,
    processes,
)
from .settle import NEXT_CHANGE, read_message, rewrite, settle, take_thought, touch

#: When a process that has not been seen is forgotten.
FORGET_SECONDS = 24 * 3600

#: An end that a message can go on from.
CAN_GO_ON = and_(
    messages.c.role == "assistant",
    or_(
        messages.c.state.in_(("interrupted", "failed")),
        and_(messages.c.state == "completed", messages.c.finish_reason == "length"),
    ),
)
#: So many messages of a chat that goes are deleted at once, and so much of their text, in UTF-16
#: code units: each is taken out of the search index.
_PAGE, _PAGE_LENGTH = 200, 256 * 1024


def apply(
    connection: Connection,
    operations: Sequence[Operation],
    process: str,
    *,
    beside: bool = False,
) -> list[Any]:
    """Apply a group of operations in order and return what each answers.

    :param process: the id of the server process that writes.
    :param beside: let a reply begin in a chat in which another process makes one.
    :raises StopChatError: an operation cannot be done; the transaction must be rolled back.
    """
    answers: list[Any] = []
    appends: list[Append] = []

    def flush() -> None:
        if appends:
            append(connection, appends, process)
            appends.clear()

    for operation in operations:
        if isinstance(operation, Append):
            appends.append(operation)
            answers.append(None)
            continue
        flush()
        try:
            answers.append(_apply_one(connection, operation, process, beside))
        except IntegrityError as error:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "already there") from error
    flush()
    return answers


def _apply_one(  # noqa: PLR0912 - one case an operation
    connection: Connection, operation: Operation, process: str, beside: bool
) -> Any:
    match operation:
        case CreateChat(chat):
            connection.execute(
                insert(chats).values(**row_of_chat(chat), changed=NEXT_CHANGE.scalar_subquery())
            )
            return None
        case SetTitle(chat_id, title):
            title = None if title is None else whole(title)
            found = connection.execute(
                update(chats).where(chats.c.id == chat_id).values(title=title)
            )
            return found.rowcount > 0
        case DeleteChat(chat_id, hidden):
            which = delete(chats).where(chats.c.id == chat_id)
            found = connection.execute(which.where(chats.c.owner == NOBODY) if hidden else which)
            return found.rowcount > 0
        case DropMessages(chat_id):
            return _drop_messages(connection, chat_id)
        case BeginTurn():
            _begin_turn(connection, operation, process, beside)
            return None
        case GiveChat(chat_id, owner):
            found = connection.execute(
                update(chats)
                .where(chats.c.id == chat_id, chats.c.owner != whole(owner))
                .values(owner=whole(owner))
            )
            touch(connection, chat_id)
            return found.rowcount > 0
        case SetState(message_id, state):
            if state not in LIVE:
                raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "a terminal state is settled")
            found = connection.execute(
                update(messages)
                .where(messages.c.id == message_id, IS_LIVE, messages.c.process == process)
                .values(state=state.value)
            )
            return found.rowcount > 0
        case Append():
            raise AssertionError("appends are applied in bulk")
        case Rewrite():
            rewrite(connection, operation, process)
            return None
        case MakeThought(message_id, _):
            if thought := take_thought(connection, operation, process):
                append(connection, [Append(message_id, thought, "reasoning")], process)
            return None
        case PutTool():
            _put_tool(connection, operation, process)
            return None
        case Settle():
            return settle(connection, operation, process)
        case Interrupt():
            return settle(connection, operation, operation.process)
        case Reopen():
            return _reopen(connection, operation, process, beside)
        case Withdraw(message_ids):
            connection.execute(delete(messages).where(messages.c.id.in_(message_ids)))
            return None
        case AmendStop(message_id, receipt):
            connection.execute(
                update(messages)
                .where(messages.c.id == message_id, is_same_stop(receipt))
                .values(stop=receipt.model_dump(mode="json"))
            )
            return None
        case AmendPrompt(message_id, text, reply_to, asked, attached):
            text = whole(text)
            others = {} if attached is None else {"attachments": column_of(attached)}
            found = connection.execute(
                update(messages)
                .where(messages.c.id == message_id, messages.c.role == "user")
                .values(text=text, text_length=utf16_length(text), reply_to=reply_to, **others)
            )
            if asked is not None and found.rowcount:
                _keep_asked(connection, *asked)
            return None
        case Beat():
            beat(connection, process)
            return None
        case _:
            assert_never(operation)


def _drop_messages(connection: Connection, chat_id: str) -> bool:
    """Delete some messages of a chat with all that belongs to them; tell whether more are left."""
    found = connection.execute(
        select(messages.c.seq, messages.c.text_length)
        .where(messages.c.chat_id == chat_id)
        .order_by(messages.c.seq)
        .limit(_PAGE)
    ).all()
    size, some = 0, list[int]()
    for row in found:
        if some and size + row.text_length > _PAGE_LENGTH:
            break
        some.append(row.seq)
        size += row.text_length
    connection.execute(delete(messages).where(messages.c.seq.in_(some)))
    return len(found) == _PAGE or len(some) < len(found)


def _put_tool(connection: Connection, operation: PutTool, process: str) -> None:
    mine = (messages.c.id == operation.message_id, IS_LIVE, messages.c.process == process)
    row = connection.execute(select(messages.c.tools).where(*mine)).one_or_none()
    if row is not None:
        tools = put([ToolCall.model_validate(each) for each in row.tools or ()], operation.call)
        written = [each.model_dump(mode="json") for each in tools]
        connection.execute(update(messages).where(*mine).values(tools=written))


def _reopen(
    connection: Connection, operation: Reopen, process: str, beside: bool
) -> Message | None:
    """Let a message go on, and return it; None if it cannot."""
    mine = (
        messages.c.id == operation.message_id,
        CAN_GO_ON,
    )
    before = connection.execute(
        select(messages.c.seq, messages.c.owner, messages.c.request_id).where(*mine)
    ).one_or_none()
    its_chat = select(messages.c.chat_id).where(messages.c.id == operation.message_id)
    if not beside:
        _refuse_beside(connection, its_chat.scalar_subquery(), process)
    new = {"request_id": operation.request_id, "model": operation.model}
    found = connection.execute(
        update(messages)
        .where(*mine)
        .values(
            state="queued",
            stop=None,
            error=None,
            finish_reason=None,
            process=process,
            **{name: value for name, value in new.items() if value is not None},
        )
    )
    if not found.rowcount or before is None:
        return None
    if operation.request_id is not None and before.request_id is not None:
        keep_request(connection, before.owner, before.request_id, before.seq)
    message = read_message(connection, operation.message_id)
    touch(connection, message.chat_id)
    beat(connection, process)
    return message


def _keep_asked(connection: Connection, message_id: str, request_id: str) -> None:
    its = select(messages.c.seq, messages.c.owner).where(
        messages.c.id == message_id, messages.c.role == "assistant"
    )
    row = connection.execute(its).one_or_none()
    if row is not None:
        keep_request(connection, row.owner, request_id, row.seq)


def keep_request(connection: Connection, owner: str, request_id: str, message: int) -> None:
    """Note that a message is found by one more request than the one that it bears."""
    known = (earlier_requests.c.owner == owner, earlier_requests.c.request_id == request_id)
    if connection.execute(select(earlier_requests.c.message).where(*known)).first() is None:
        connection.execute(
            insert(earlier_requests).values(owner=owner, request_id=request_id, message=message)
        )


def is_same_stop(receipt: Receipt) -> ColumnElement[bool]:
    """Tell whether a message bears the receipt of the same stop.

    One that went on and was stopped again bears another, which a late word must not replace.
    """
    same: ColumnElement[bool] = messages.c.stop["requested_at"].as_string() == receipt.requested_at
    return same


def beat(connection: Connection, process: str) -> None:
    """Note that this process is alive."""
    found = connection.execute(
        update(processes).where(processes.c.id == process).values(seen_at=NOW_SECONDS)
    )
    if not found.rowcount:
        # The rows of processes that are long gone are swept out here, once a process.
        connection.execute(
            delete(processes).where(
                processes.c.seen_at < NOW_SECONDS - FORGET_SECONDS,
                processes.c.id.not_in(
                    select(messages.c.process).where(IS_LIVE, messages.c.process.is_not(None))
                ),
            )
        )
        # And so is what a server that died was bringing in.
        connection.execute(
            delete(chats).where(
                chats.c.owner == NOBODY, chats.c.updated_at < now(seconds=-FORGET_SECONDS)
            )
        )
        connection.execute(insert(processes).values(id=process, seen_at=NOW_SECONDS))


def _refuse_beside(connection: Connection, chat_id: Any, process: str) -> None:
    """Begin nothing in a chat in which another process makes a reply: which came first is open.

    :raises StopChatError: `made_elsewhere`.
    """
    beside = select(messages.c.id).where(
        messages.c.chat_id == chat_id, IS_LIVE, messages.c.process != process
    )
    if connection.execute(beside.limit(1)).first() is not None:
        raise StopChatError(ErrorCode.MADE_ELSEWHERE)


def _begin_turn(connection: Connection, operation: BeginTurn, process: str, beside: bool) -> None:
    if operation.chat is not None:
        _apply_one(connection, CreateChat(operation.chat), process, beside)
    found = {}
    for chat_id in dict.fromkeys(message.chat_id for message in operation.messages):
        row = connection.execute(ONE_CHAT, {"id": chat_id}).mappings().one_or_none()
        if row is None:
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)
        found[chat_id] = chat_of(dict(row))
        if operation.owner is None and found[chat_id].owner == NOBODY:
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)  # it is being deleted
        if operation.chat is None or operation.chat.id != chat_id:
            if not beside:
                _refuse_beside(connection, chat_id, process)
            touch(connection, chat_id)
    if any(message.state in LIVE for message in operation.messages):
        beat(connection, process)
    rows = [
        row_of_message(message, operation.owner or found[message.chat_id].owner, process)
        for message in operation.messages
    ]
    if rows:
        connection.execute(insert(messages), rows)
