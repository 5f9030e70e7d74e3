"""The store on a SQL database: SQLite by default.

Imports SQLAlchemy: get one from `open_store`, which imports this in a thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from jupyter_stop_chat.errors import StopChatError
from jupyter_stop_chat.protocol import Chat, Message, MessageState

from .base import Part, Settlement
from .database import Database
from .operations import (
    Append,
    BeginTurn,
    CreateChat,
    DeleteChat,
    Operation,
    Reopen,
    SetState,
    SetTitle,
    Settle,
)
from .rows import (
    BY_REQUEST,
    CHATS,
    MESSAGES_OF_CHAT,
    ONE_CHAT,
    ONE_MESSAGE,
    THREAD,
    chat_of,
    message_of,
)
from .schema import chats
from .search import matches
from .writer import Writer

log = logging.getLogger(__name__)


class SqlStore:
    """Remember chats and messages in a SQL database.

    :param db_url: where, as SQLAlchemy writes it; `sqlite:///` and `postgresql://` choose their
        asynchronous drivers by themselves.
    :param owner_process: this server process: `<host>:<pid>:<what tells its lives apart>`.
    :param busy_seconds: how long a write waits for another process's lock.
    :param pragmas: further SQLite pragmas for the connection that writes.
    """

    def __init__(
        self,
        db_url: str,
        *,
        owner_process: str,
        busy_seconds: float = 1.0,
        pragmas: Mapping[str, str | int] = MappingProxyType({}),
    ) -> None:
        self.on_trouble: Callable[[bool], None] = lambda troubled: None
        self._database = Database(db_url, owner_process, busy_seconds, pragmas)
        self._writer = Writer(self._commit)

    async def open(
        self, on_recovered: Callable[[Sequence[Message]], None] = lambda messages: None
    ) -> None:
        """Make the store ready."""
        await self._database.open()
        self._writer.start()

    async def close(self) -> None:
        """Write what is left and let go of everything."""
        await self._writer.close()
        await self._database.close()

    async def create_chat(self, chat: Chat) -> None:
        """Remember a new chat."""
        await self._writer.write(CreateChat(chat))

    async def get_chat(self, chat_id: str) -> Chat | None:
        """Return a chat, or None."""
        rows = await self._database.read(ONE_CHAT, {"id": chat_id})
        return chat_of(rows[0]) if rows else None

    async def list_chats(
        self, owner: str, *, query: str = "", limit: int = 50, before: str | None = None
    ) -> list[Chat]:
        """List an owner's chats, newest change first; `before` is the last page's last id."""
        statement = CHATS.where(chats.c.owner == owner).limit(limit)
        found = matches(query, self._database.dialect, self._database.indexed)
        if found is not None:
            statement = statement.where(found)
        if before is not None:
            last = chats.alias()
            from sqlalchemy import select

            statement = statement.where(
                chats.c.changed
                < select(last.c.changed).where(last.c.id == before).scalar_subquery()
            )
        return [chat_of(row) for row in await self._database.read(statement)]

    async def set_title(self, chat_id: str, title: str | None) -> bool:
        """Set or clear a title; tell whether the chat exists."""
        return bool(await self._writer.write(SetTitle(chat_id, title)))

    async def delete_chat(self, chat_id: str) -> bool:
        """Delete a chat with its messages; tell whether it existed."""
        return bool(await self._writer.write(DeleteChat(chat_id)))

    async def begin_turn(self, messages: Sequence[Message], chat: Chat | None = None) -> None:
        """Add messages at the end of a chat, in one transaction."""
        await self._writer.write(BeginTurn(tuple(messages), chat))

    async def set_state(self, message_id: str, state: MessageState) -> bool:
        """Move a message that is not terminal to another state that is not."""
        return bool(await self._writer.write(SetState(message_id, state)))

    async def append(self, message_id: str, text: str, part: Part = "text") -> None:
        """Append text to a message that is not terminal."""
        if text:
            await self._writer.write(Append(message_id, text, part))

    async def settle(self, message_id: str, settlement: Settlement) -> Message | None:
        """Claim the terminal state of a message; None when another had claimed it."""
        settled: Message | None = await self._writer.write(Settle(message_id, settlement))
        return settled

    async def reopen(self, message_id: str) -> Message | None:
        """Move an `interrupted` or `failed` message back to `queued`."""
        reopened: Message | None = await self._writer.write(Reopen(message_id))
        return reopened

    async def get_message(self, message_id: str) -> Message | None:
        """Return a message, or None."""
        rows = await self._database.read(ONE_MESSAGE, {"id": message_id})
        return message_of(rows[0]) if rows else None

    async def find_request(self, owner: str, request_id: str) -> Message | None:
        """Return the assistant message that an owner's request made, or None."""
        rows = await self._database.read(BY_REQUEST, {"owner": owner, "request_id": request_id})
        return message_of(rows[0]) if rows else None

    async def get_messages(self, chat_id: str) -> list[Message]:
        """Return all messages of a chat, oldest first."""
        return [
            message_of(row) for row in await self._database.read(MESSAGES_OF_CHAT, {"id": chat_id})
        ]

    async def get_thread(self, message_id: str) -> list[Message]:
        """Return a message and those before it along `reply_to`, oldest first."""
        return [message_of(row) for row in await self._database.read(THREAD, {"id": message_id})]

    async def _commit(self, group: Sequence[Operation]) -> Sequence[Any]:
        try:
            return await self._database.write(group)
        except StopChatError as error:
            if len(group) == 1:
                return [error]
        # One of them cannot be done, and took the others down with it: each by itself.
        return [(await self._commit([operation]))[0] for operation in group]
