"""Copy a whole chat from one database to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from jupyter_stop_chat.store.blobs import link
from jupyter_stop_chat.store.database import Database
from jupyter_stop_chat.store.instructions import add_sent
from jupyter_stop_chat.store.reopening import keep_request
from jupyter_stop_chat.store.rows import row_of_chat, row_of_message
from jupyter_stop_chat.store.schema import (
    calls,
    chats,
    deltas,
    earlier_requests,
    journal,
    messages,
    sent_instructions,
)
from jupyter_stop_chat.store.settle import NEXT_CHANGE
from jupyter_stop_chat.store.slices import id_slices
from jupyter_stop_chat.store.tools.calls import write_rows as write_calls
from jupyter_stop_chat.store.tools.journal import write_rows as write_journal
from jupyter_stop_chat.wire.objects import Chat, Message
from jupyter_stop_chat.wire.utf16 import whole

Row = dict[str, Any]


@dataclass(slots=True)
class ChatRows:
    """A chat as rows, its messages in order.

    :ivar deltas: what waits for these messages, by their numbers where they were read.
    :ivar requests: the earlier requests that they are found by, likewise.
    :ivar sent: the instructions that were sent with them.
    :ivar journal: what they changed, by their numbers where they were read.
    :ivar calls: their tool calls, by their numbers where they were read.
    """

    chat: Row
    messages: list[Row]
    deltas: list[Row] = field(default_factory=list)
    requests: list[Row] = field(default_factory=list)
    sent: list[Row] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)

    @classmethod
    def of(cls, chat: Chat, said: Sequence[Message], process: str) -> ChatRows:
        """Make them of what is known of a chat.

        :param process: the server process that makes the live messages.
        """
        rows = [row_of_message(each, whole(chat.owner), process) for each in said]
        return cls({**row_of_chat(chat), "changed": 0}, rows)


async def read_chat(database: Database, chat_id: str) -> ChatRows | None:
    """Read a chat's rows; None when there is no such chat."""
    found = await database.read(select(chats).where(chats.c.id == chat_id))
    if not found:
        return None
    mine = messages.c.chat_id == chat_id
    its = select(messages.c.seq).where(mine)
    return ChatRows(
        found[0],
        await database.read(select(messages).where(mine).order_by(messages.c.seq)),
        await database.read(
            select(deltas).where(deltas.c.message.in_(its)).order_by(deltas.c.message, deltas.c.n)
        ),
        await database.read(select(earlier_requests).where(earlier_requests.c.message.in_(its))),
        await database.read(
            select(sent_instructions).where(sent_instructions.c.chat_id == chat_id)
        ),
        await database.read(
            select(journal).where(journal.c.message.in_(its)).order_by(journal.c.message)
        ),
        await database.read(
            select(calls).where(calls.c.message.in_(its)).order_by(calls.c.message, calls.c.n)
        ),
    )


def write_chat(connection: Connection, rows: ChatRows, *, newest: bool = False) -> None:
    """Write a chat's rows in place of what is there of them, inside the caller's transaction.

    :param newest: it becomes the chat that changed last.
    """
    chat = dict(rows.chat)
    if newest:
        chat["changed"] = NEXT_CHANGE.scalar_subquery()
    if chat.get("instructions") is None:
        chat.pop("instructions", None)  # those that are there, if any are, stay
    mine = chats.c.id == chat["id"]
    if not connection.execute(update(chats).where(mine).values(chat)).rowcount:
        connection.execute(insert(chats).values(chat))
    write_messages(connection, rows)


def write_messages(connection: Connection, rows: ChatRows) -> None:
    """Write messages in place of what is there of them, or behind the others of their chat."""
    add_sent(connection, rows.sent)
    there = _numbers(connection, rows)
    added = []
    for row in rows.messages:
        new = {name: value for name, value in row.items() if name != "seq"}
        if row["id"] not in there:
            added.append(new)
            continue
        connection.execute(update(messages).where(messages.c.id == row["id"]).values(new))
        for table in (deltas, calls):
            connection.execute(delete(table).where(table.c.message == there[row["id"]]))
    if added:
        # At once: a chat may have thousands, and all others wait meanwhile.
        connection.execute(insert(messages), added)
        there = _numbers(connection, rows)
    # A picture that was lost with its database is not held: its message keeps the name of it.
    link(connection, rows.messages, lenient=True)
    # From where they were read to where they are written.
    numbers = {row.get("seq", 0): there[row["id"]] for row in rows.messages}
    waiting = [row for row in rows.deltas if row["message"] in numbers]
    if waiting:
        moved = [{**row, "message": numbers[row["message"]]} for row in waiting]
        connection.execute(insert(deltas), moved)
    noted = [row for row in rows.journal if row["message"] in numbers]
    write_journal(connection, [{**row, "message": numbers[row["message"]]} for row in noted])
    called = [row for row in rows.calls if row["message"] in numbers]
    write_calls(connection, [{**row, "message": numbers[row["message"]]} for row in called])
    for row in rows.requests:
        if row["message"] in numbers:
            keep_request(connection, row["owner"], row["request_id"], numbers[row["message"]])


def _numbers(connection: Connection, rows: ChatRows) -> dict[str, int]:
    """Return the numbers of those messages that are there."""
    ids = [row["id"] for row in rows.messages]
    numbers: dict[str, int] = {}
    for some in id_slices(ids):
        mine = messages.c.id.in_(some)
        found = connection.execute(select(messages.c.id, messages.c.seq).where(mine))
        numbers.update((row.id, row.seq) for row in found)
    return numbers
