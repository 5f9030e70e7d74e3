"""What was done though its answer was lost: a connection may break between the two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store.operations import (
    NOBODY,
    BeginTurn,
    CreateChat,
    DeleteChat,
    GiveChat,
    Interrupt,
    Operation,
    Reopen,
    Withdraw,
)
from jupyter_stop_chat.store.schema import chats, messages
from jupyter_stop_chat.store.settle import read_message
from jupyter_stop_chat.wire.objects import MessageState, Receipt
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.utf16 import whole


def answer_before(connection: Connection, operation: Operation, process: str) -> list[Any]:
    """Return what an operation answered when it was done before, or nothing if it was not.

    Those that are not named here answer the same when they are done twice.

    :param process: the id of this server process.
    """
    match operation:
        case CreateChat(chat):
            its = select(chats.c.created_at).where(chats.c.id == chat.id)
            return [None for row in connection.execute(its) if row.created_at == chat.created_at]
        case GiveChat(chat_id, owner):
            its = select(chats.c.id).where(chats.c.id == chat_id, chats.c.owner == whole(owner))
            return [True for _ in connection.execute(its)]
        case BeginTurn(turn) if turn:
            ids = [message.id for message in turn]
            its = select(messages.c.id, messages.c.chat_id).where(messages.c.id.in_(ids))
            there = {(row.id, row.chat_id) for row in connection.execute(its)}
            return [None] if there >= {(each.id, each.chat_id) for each in turn} else []
        case Reopen(message_id, request_id):
            its = select(messages.c.request_id).where(
                messages.c.id == message_id,
                messages.c.state == "queued",
                messages.c.process == process,
            )
            same = [row for row in connection.execute(its) if row.request_id == request_id]
            return [read_message(connection, message_id) for _ in same]
    return []


def taken_back(operation: Operation, process: str) -> list[Operation]:
    """Return what takes an operation back that was refused, whether it had been done or not.

    A chat that is hidden is deleted: whose it was is not known any more.

    :param process: the id of this server process.
    """
    match operation:
        case BeginTurn(turn):
            return [Withdraw(tuple(message.id for message in turn))]
        case GiveChat(chat_id, owner) if owner == NOBODY:
            return [DeleteChat(chat_id, hidden=True)]
        case Reopen(message_id):
            stop = Receipt(reason="server_restart", requested_at=now())
            end = Settlement(MessageState.INTERRUPTED, stop=stop)
            return [Interrupt(message_id, end, process)]
    return []
