"""Which tools may act unasked: in one chat, or in all chats of an owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Select, delete, select, text

from jupyter_stop_chat.store.instructions import Read
from jupyter_stop_chat.store.operations import AllowTool, AskAgain, Operation
from jupyter_stop_chat.store.schema import allowed_tools, chats
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.utf16 import whole

#: Written out: SQLite and PostgreSQL spell it alike, and SQLAlchemy has it for each apart.
ADD = text(
    "INSERT INTO allowed_tools (owner, chat_id, tool, allowed_at) "
    "VALUES (:owner, :chat_id, :tool, :allowed_at) ON CONFLICT DO NOTHING"
)


class SqlAllowedTools:
    """What remembers in the store's database which tools may act unasked.

    :param write: writes an operation in its turn.
    """

    def __init__(self, write: Callable[[Operation], Awaitable[Any]], read: Read) -> None:
        self._write = write
        self._read = read

    async def allow(self, owner: str, chat_id: str, tool: str) -> None:
        """Let a tool act unasked: in one chat, or where that is empty in all of an owner's."""
        await self._write(AllowTool(owner, chat_id, tool))

    async def ask_again(self, owner: str, chat_id: str, tool: str) -> None:
        """Take that back."""
        await self._write(AskAgain(owner, chat_id, tool))

    async def allowed(self, owner: str, chat_id: str) -> frozenset[str]:
        """Return which tools may act unasked in a chat."""
        found = await self._read(lambda reader: reader.allowed(owner, chat_id))
        return frozenset(tool for _, tool in found)

    async def rules(self, owner: str) -> list[tuple[str, str]]:
        """Return all that an owner allowed: chats, empty for all of them, with tools."""
        found: list[tuple[str, str]] = await self._read(lambda reader: reader.allowed(owner))
        return found


def rules_of(owner: str, chat_id: str | None = None) -> Select[Any]:
    """Select an owner's rules, in the order in which they were made.

    :param chat_id: only those that hold in this chat.
    """
    rules = (
        select(allowed_tools.c.chat_id, allowed_tools.c.tool)
        .where(allowed_tools.c.owner == whole(owner))
        .order_by(allowed_tools.c.allowed_at, allowed_tools.c.chat_id, allowed_tools.c.tool)
    )
    return rules if chat_id is None else rules.where(allowed_tools.c.chat_id.in_(["", chat_id]))


def allow(connection: Connection, operation: AllowTool) -> None:
    """Keep a rule, once; of a chat that is gone none is kept."""
    if operation.chat_id:
        chat = select(chats.c.id).where(
            chats.c.id == operation.chat_id, chats.c.owner == whole(operation.owner)
        )
        if connection.execute(chat).first() is None:
            return
    add(connection, operation.owner, [(operation.chat_id, operation.tool)])


def add(connection: Connection, owner: str, rules: Iterable[tuple[str, str]]) -> None:
    """Add rules, but for those that are there."""
    for chat_id, tool in rules:
        row = {"owner": whole(owner), "chat_id": chat_id, "tool": whole(tool)}
        connection.execute(ADD, {**row, "allowed_at": now()})


def ask_again(connection: Connection, operation: AskAgain) -> None:
    """Drop a rule."""
    connection.execute(
        delete(allowed_tools).where(
            allowed_tools.c.owner == whole(operation.owner),
            allowed_tools.c.chat_id == operation.chat_id,
            allowed_tools.c.tool == whole(operation.tool),
        )
    )


def drop_with(connection: Connection, chat_id: str) -> None:
    """Drop the rules of a chat that goes."""
    connection.execute(delete(allowed_tools).where(allowed_tools.c.chat_id == chat_id))
