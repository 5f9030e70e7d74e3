"""Save what was kept in memory while the database could not be written."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from jupyter_stop_chat.store.changes import CAN_GO_ON, is_same_stop, keep_request
from jupyter_stop_chat.store.rows import CHANGING, row_of_chat, row_of_message
from jupyter_stop_chat.store.schema import IS_LIVE, chats, deltas, messages
from jupyter_stop_chat.store.settle import NEXT_CHANGE

from .kept import Kept
from .memory import Memory

log = logging.getLogger(__name__)


def restore(connection: Connection, memory: Memory, process: str) -> None:
    """Write everything that the database has not seen, inside the caller's transaction.

    What another process did meanwhile stands: a chat that it deleted stays deleted, and a
    message that it ended stays as it is.
    """
    for chat_id in memory.deleted:
        connection.execute(delete(chats).where(chats.c.id == chat_id))
    for chat_id in memory.changed:
        _save_chat(connection, memory, chat_id)
    for chat_id in memory.titled:
        title = {"title": row_of_chat(memory.chats[chat_id])["title"]}
        connection.execute(update(chats).where(chats.c.id == chat_id).values(title))
    for kept in memory.unsaved_messages():
        owner = kept.owner or memory.chats[kept.message.chat_id].owner
        _save_message(connection, kept, owner, process)


def _save_chat(connection: Connection, memory: Memory, chat_id: str) -> None:
    row = row_of_chat(memory.chats[chat_id])
    changed = NEXT_CHANGE.scalar_subquery()
    new = {"updated_at": row["updated_at"], "owner": row["owner"]}
    found = connection.execute(
        update(chats).where(chats.c.id == chat_id).values(**new, changed=changed)
    )
    if not found.rowcount and chat_id in memory.created:
        connection.execute(insert(chats).values(**row, changed=changed))


def _save_message(connection: Connection, kept: Kept, owner: str, process: str) -> None:
    row = row_of_message(kept.whole(), owner, process)
    mine = messages.c.id == row["id"]
    # Another process may have taken it for left behind, ended it, and gone on with it.
    guard: ColumnElement[bool] = and_(IS_LIVE, messages.c.process == process)
    if kept.reopened:
        guard = or_(guard, CAN_GO_ON)
    changing = {name: row[name] for name in (*CHANGING, "process")}
    if kept.reopened:
        changing["model"] = row["model"]
        if not _is_taken(connection, row):
            changing["request_id"] = row["request_id"]
    found = connection.execute(update(messages).where(mine, guard).values(changing))
    if found.rowcount:
        _save_requests(connection, kept, owner)
        # All of its text is in the row now.
        connection.execute(
            delete(deltas).where(
                deltas.c.message == select(messages.c.seq).where(mine).scalar_subquery()
            )
        )
        return
    if connection.execute(select(messages.c.seq).where(mine)).first() is not None:
        _save_requests(connection, kept, owner)
        if kept.amended:
            amended = {name: row[name] for name in ("text", "text_length", "reply_to")}
            connection.execute(update(messages).where(mine).values(amended))
        if kept.message.stop is not None:
            # It had ended before that, and only its receipt may have been completed.
            connection.execute(
                update(messages)
                .where(mine, is_same_stop(kept.message.stop))
                .values(stop=row["stop"])
            )
        return
    # Where the database could not be read, a request may have been answered a second time.
    for request_id in dict.fromkeys((row["request_id"], None)):
        try:
            with connection.begin_nested():
                connection.execute(insert(messages).values(row | {"request_id": request_id}))
                _save_requests(connection, kept, owner)
        except IntegrityError:
            continue
        return
    log.warning("A message is not saved: its chat is gone.")


def _save_requests(connection: Connection, kept: Kept, owner: str) -> None:
    if kept.earlier_requests:
        mine = select(messages.c.seq).where(messages.c.id == kept.message.id)
        seq = connection.execute(mine).scalar_one()
        for request_id in kept.earlier_requests:
            keep_request(connection, owner, request_id, seq)


def _is_taken(connection: Connection, row: dict[str, Any]) -> bool:
    """Tell whether another process answered the request meanwhile."""
    found = select(messages.c.seq).where(
        messages.c.owner == row["owner"],
        messages.c.request_id == row["request_id"],
        messages.c.role == "assistant",
        messages.c.id != row["id"],
    )
    return connection.execute(found).first() is not None
