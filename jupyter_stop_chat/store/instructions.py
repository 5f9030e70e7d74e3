"""The instructions of chats, and those that were sent: each text of a chat is kept once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, insert, select, update

from jupyter_stop_chat.wire.utf16 import whole

from .operations import KeepInstructions, Operation, SetInstructions
from .schema import IS_LIVE, chats, messages, sent_instructions

if TYPE_CHECKING:
    from .reading import Reader


class Read(Protocol):
    """What asks a reader; a damaged database is set aside meanwhile."""

    async def __call__(self, question: Callable[[Reader], Awaitable[Any]]) -> Any:
        """Return what the reader answers."""
        ...


class SqlInstructions:
    """What keeps instructions in the store's database.

    :param write: writes an operation in its turn.
    """

    def __init__(self, write: Callable[[Operation], Awaitable[Any]], read: Read) -> None:
        self._write = write
        self._read = read

    async def of_chat(self, chat_id: str) -> str:
        """Return a chat's own instructions; empty where it has none."""
        return str(await self._read(lambda reader: reader.instructions_of(chat_id)))

    async def set(self, chat_id: str, text: str) -> bool:
        """Give a chat other instructions, or none; tell whether it exists."""
        return bool(await self._write(SetInstructions(chat_id, text)))

    def keep(self, message_id: str, digest: str, text: str) -> Awaitable[None]:
        """Keep what a message that is being made is sent with, in the order of the calls."""
        return self._write(KeepInstructions(message_id, digest, text))

    async def sent(self, chat_id: str, digests: Sequence[str]) -> dict[str, str]:
        """Return what was sent in a chat, by digests; what is not known is left out."""
        found: dict[str, str] = await self._read(lambda reader: reader.sent(chat_id, digests))
        return found


def give(connection: Connection, operation: SetInstructions) -> bool:
    """Give a chat other instructions, or none; tell whether it exists."""
    # Empty where they were taken back: what is not known of a chat is none.
    found = connection.execute(
        update(chats)
        .where(chats.c.id == operation.chat_id)
        .values(instructions=whole(operation.text))
    )
    return found.rowcount > 0


def keep(connection: Connection, operation: KeepInstructions, process: str) -> None:
    """Keep what a live message of this process is sent with, once for all of its chat."""
    mine = (messages.c.id == operation.message_id, IS_LIVE, messages.c.process == process)
    row = connection.execute(
        select(messages.c.chat_id, messages.c.instructions).where(*mine)
    ).one_or_none()
    if row is None:
        return
    known = row.instructions or []
    if operation.digest not in known:
        kept = [*known, operation.digest]
        connection.execute(update(messages).where(*mine).values(instructions=kept))
    rows = [{"chat_id": row.chat_id, "digest": operation.digest, "text": operation.text}]
    add_sent(connection, rows)


def add_sent(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add texts that were sent, but for those that are there."""
    for row in rows:
        there = select(sent_instructions.c.digest).where(
            sent_instructions.c.chat_id == row["chat_id"],
            sent_instructions.c.digest == row["digest"],
        )
        if connection.execute(there).first() is None:
            connection.execute(insert(sent_instructions).values(row))
