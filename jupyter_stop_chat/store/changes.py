"""Apply operations to the database, inside a transaction that the caller opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from jupyter_stop_chat.ports.spending import Bill
from jupyter_stop_chat.ports.store import put
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Receipt
from jupyter_stop_chat.wire.tools import ToolCall
from jupyter_stop_chat.wire.utf16 import utf16_length, whole

from . import blobs, instructions, spending
from .appends import append
from .operations import (
    NOBODY,
    AllowTool,
    AmendPrompt,
    AmendStop,
    AmendTool,
    Append,
    AskAgain,
    Beat,
    BeginTurn,
    Charge,
    CreateChat,
    DeleteChat,
    DropMessages,
    DropOutputs,
    EndLeft,
    GiveChat,
    Interrupt,
    KeepBlob,
    KeepCalls,
    KeepInstructions,
    KeepOutputs,
    MakeThought,
    MarkChanges,
    NoteChange,
    Operation,
    PutCall,
    PutTool,
    Reopen,
    Rewrite,
    SetInstructions,
    SetState,
    SetTitle,
    Settle,
    SweepBlobs,
    Withdraw,
)
from .processes.heartbeat import beat
from .reopening import keep_asked, refuse_beside, reopen
from .rows import ONE_CHAT, chat_of, column_of, row_of_chat, row_of_message
from .schema import (
    IS_LIVE,
    LIVE,
    chats,
    message_blobs,
    messages,
)
from .settle import NEXT_CHANGE, rewrite, settle, take_thought, touch
from .tools import allowed, calls, journal, left, outputs

#: So many messages of a chat that goes are deleted at once, and so much of their text, in UTF-16
#: code units: each is taken out of the search index.
_PAGE, _PAGE_LENGTH = 200, 256 * 1024


def apply(
    connection: Connection,
    operations: Sequence[Operation],
    process: str,
    *,
    beside: bool = False,
    lenient: bool = False,
) -> list[Any]:
    """Apply a group of operations in order and return what each answers.

    :param process: the id of the server process that writes.
    :param beside: let a reply begin in a chat in which another process makes one.
    :param lenient: let a message hold a picture that is not there.
    :raises StopChatError: an operation cannot be done; the transaction must be rolled back.
    """
    answers: list[Any] = []
    appends: list[Append] = []
    bills: list[Bill] = []

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
            answers.append(_apply_one(connection, operation, process, beside, lenient))
        except IntegrityError as error:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "already there") from error
        if (bill := _bill_of(operation, answers[-1])) is not None:
            bills.append(bill)
    flush()
    spending.count_days(connection, bills)
    return answers


def _bill_of(operation: Operation, answer: Any) -> Bill | None:
    """Return what an operation adds to its owner's day, now that it is done."""
    if isinstance(operation, Charge):
        return operation.bill if answer else None
    if isinstance(operation, Settle | Interrupt) and answer is not None:
        return operation.settlement.bill
    return None


def _apply_one(  # noqa: PLR0912, PLR0915 - one case an operation
    connection: Connection, operation: Operation, process: str, beside: bool, lenient: bool
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
        case SetInstructions():
            return instructions.give(connection, operation)
        case KeepInstructions():
            instructions.keep(connection, operation, process)
            return None
        case KeepBlob():
            blobs.keep(connection, operation)
            return None
        case SweepBlobs():
            blobs.sweep(connection)
            return None
        case DeleteChat(chat_id, hidden):
            held = blobs.held_by(connection, blobs.in_chat(chat_id))
            which = delete(chats).where(chats.c.id == chat_id)
            found = connection.execute(which.where(chats.c.owner == NOBODY) if hidden else which)
            blobs.release(connection, held)
            allowed.drop_with(connection, chat_id)
            return found.rowcount > 0
        case DropMessages(chat_id):
            return _drop_messages(connection, chat_id)
        case BeginTurn():
            _begin_turn(connection, operation, process, beside, lenient)
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
        case AmendTool():
            _amend_tool(connection, operation)
            return None
        case PutCall():
            calls.put(connection, operation, process)
            return None
        case KeepCalls():
            calls.keep(connection, operation)
            return None
        case KeepOutputs():
            outputs.keep(connection, operation)
            return None
        case DropOutputs():
            outputs.drop(connection, operation)
            return None
        case EndLeft():
            left.end(connection, operation)
            return None
        case Settle():
            return settle(connection, operation, process)
        case Interrupt():
            return settle(connection, operation, operation.process)
        case Reopen():
            return reopen(connection, operation, process, beside)
        case Withdraw(message_ids):
            its = select(messages.c.seq).where(messages.c.id.in_(message_ids))
            held = blobs.held_by(connection, message_blobs.c.message.in_(its))
            connection.execute(delete(messages).where(messages.c.id.in_(message_ids)))
            blobs.give_back(connection, held)
            return None
        case AmendStop(message_id, receipt):
            connection.execute(
                update(messages)
                .where(messages.c.id == message_id, is_same_stop(receipt))
                .values(stop=receipt.model_dump(mode="json"))
            )
            return None
        case AmendPrompt(message_id, text, reply_to, asked, attached, mode):
            text = whole(text)
            others = {} if attached is None else {"attachments": column_of(attached)}
            if mode is not None:
                both = messages.c.id.in_([message_id, *(asked or ())[:1]])
                connection.execute(update(messages).where(both).values(mode=mode))
            found = connection.execute(
                update(messages)
                .where(messages.c.id == message_id, messages.c.role == "user")
                .values(text=text, text_length=utf16_length(text), reply_to=reply_to, **others)
            )
            if asked is not None and found.rowcount:
                keep_asked(connection, *asked)
            if attached is not None:
                blobs.link_only(connection, message_id, attached)
            return None
        case AllowTool():
            allowed.allow(connection, operation)
            return None
        case AskAgain():
            allowed.ask_again(connection, operation)
            return None
        case NoteChange():
            journal.note(connection, operation, process)
            return None
        case MarkChanges():
            journal.mark(connection, operation)
            return None
        case Charge():
            return spending.charge(connection, operation)
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
    held = blobs.held_by(connection, message_blobs.c.message.in_(some))
    connection.execute(delete(messages).where(messages.c.seq.in_(some)))
    blobs.release(connection, held)
    return len(found) == _PAGE or len(some) < len(found)


def _put_tool(connection: Connection, operation: PutTool, process: str) -> None:
    mine = (messages.c.id == operation.message_id, IS_LIVE, messages.c.process == process)
    row = connection.execute(select(messages.c.tools).where(*mine)).one_or_none()
    if row is not None:
        tools = put([ToolCall.model_validate(each) for each in row.tools or ()], operation.call)
        written = [each.model_dump(mode="json") for each in tools]
        connection.execute(update(messages).where(*mine).values(tools=written))


def _amend_tool(connection: Connection, operation: AmendTool) -> None:
    """Replace a call of a message that has ended, and does not go on."""
    its = (messages.c.id == operation.message_id, ~IS_LIVE)
    row = connection.execute(select(messages.c.tools).where(*its)).one_or_none()
    if row is None or all(each["call_id"] != operation.call.call_id for each in row.tools or ()):
        return
    tools = put([ToolCall.model_validate(each) for each in row.tools], operation.call)
    written = [each.model_dump(mode="json") for each in tools]
    connection.execute(update(messages).where(*its).values(tools=written))
    if not left.runs_on(tools):
        connection.execute(left.FORGET, {"its_id": operation.message_id})


def is_same_stop(receipt: Receipt) -> ColumnElement[bool]:
    """Tell whether a message bears the receipt of the same stop.

    One that went on and was stopped again bears another, which a late word must not replace.
    """
    same: ColumnElement[bool] = messages.c.stop["requested_at"].as_string() == receipt.requested_at
    return same


def _begin_turn(
    connection: Connection, operation: BeginTurn, process: str, beside: bool, lenient: bool
) -> None:
    if operation.chat is not None:
        _apply_one(connection, CreateChat(operation.chat), process, beside, lenient)
    found = {}
    for chat_id in dict.fromkeys(message.chat_id for message in operation.messages):
        row = connection.execute(ONE_CHAT, {"id": chat_id}).mappings().one_or_none()
        if row is None:
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)
        found[chat_id] = chat_of(dict(row))
        if operation.owner is None and found[chat_id].owner == NOBODY:
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)  # it is being deleted
        if operation.chat is None or operation.chat.id != chat_id:
            touch(connection, chat_id)
            if not beside:
                refuse_beside(connection, chat_id, process)
    if any(message.state in LIVE for message in operation.messages):
        beat(connection, process)
    rows = [
        row_of_message(message, operation.owner or found[message.chat_id].owner, process)
        for message in operation.messages
    ]
    if rows:
        connection.execute(insert(messages), rows)
        blobs.link(connection, rows, lenient=lenient)
