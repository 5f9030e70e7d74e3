"""Read chats and messages: from the database, or in trouble from memory before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from jupyter_stop_chat.errors import ErrorCode, StopChatError
from jupyter_stop_chat.protocol import Chat, Message

from .database import Database
from .memory import Memory
from .newest import newest_reply
from .rows import (
    BY_EARLIER_REQUEST,
    BY_REQUEST,
    CHATS,
    MESSAGES_OF_CHAT,
    NEWEST_REPLY,
    ONE_CHAT,
    ONE_MESSAGE,
    THREAD,
    along_links,
    chat_of,
    message_of,
)
from .schema import IS_LIVE, chats, messages
from .search import matches, words_of
from .slices import in_slices
from .trouble import reason_of

#: So many messages are asked for at once: SQLite's builds before 3.32 take 999 variables.
_IDS = 500


class Reader:
    """Read from the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_chat(self, chat_id: str) -> Chat | None:
        """Return a chat, or None."""
        rows = await self._database.read(ONE_CHAT, {"id": chat_id})
        return chat_of(rows[0]) if rows else None

    async def list_chats(
        self, owner: str, query: str, limit: int, before: str | None
    ) -> list[Chat]:
        """List an owner's chats, newest change first."""
        prepared = self._database.prepared
        statement = CHATS.where(chats.c.owner == owner).limit(limit)
        found = matches(query, self._database.dialect, bool(prepared and prepared.indexed))
        if found is not None:
            statement = statement.where(found)
        if before is not None:
            last = chats.alias()
            # Another owner's is no place in this list, as one that does not exist.
            its = (last.c.id == before) & (last.c.owner == owner)
            place = select(last.c.changed).where(its).scalar_subquery()
            statement = statement.where(chats.c.changed < place)
        return [chat_of(row) for row in await self._database.read(statement)]

    async def count_chats(self, owner: str) -> int:
        """Count an owner's chats."""
        counted = select(func.count().label("number")).where(chats.c.owner == owner)
        return int((await self._database.read(counted))[0]["number"])

    async def get_message(self, message_id: str) -> Message | None:
        """Return a message, or None."""
        rows = await self._database.read(ONE_MESSAGE, {"id": message_id})
        return message_of(rows[0], self._database.process) if rows else None

    async def find_request(self, owner: str, request_id: str) -> Message | None:
        """Return the assistant message that an owner's request made or went on with, or None."""
        asked = {"owner": owner, "request_id": request_id}
        rows = await self._database.read(BY_REQUEST, asked)
        rows = rows or await self._database.read(BY_EARLIER_REQUEST, asked)
        return message_of(rows[0], self._database.process) if rows else None

    async def made_elsewhere(self, owner: str, chat_id: str | None) -> list[str]:
        """Return the ids of an owner's messages that other processes make now."""
        made = select(messages.c.id).where(
            IS_LIVE, messages.c.owner == owner, messages.c.process != self._database.process
        )
        if chat_id is not None:
            made = made.where(messages.c.chat_id == chat_id)
        return [row["id"] for row in await self._database.read(made.order_by(messages.c.seq))]

    async def absent(self, message_ids: Sequence[str]) -> list[str]:
        """Return which of some messages are not there."""
        there: set[str] = set()
        for first in range(0, len(message_ids), _IDS):
            some = message_ids[first : first + _IDS]
            found = select(messages.c.id).where(messages.c.id.in_(some))
            there.update(row["id"] for row in await self._database.read(found))
        return [each for each in message_ids if each not in there]

    async def get_messages(self, chat_id: str) -> list[Message]:
        """Return all messages of a chat, oldest first."""
        rows = await self._database.read(MESSAGES_OF_CHAT, {"id": chat_id})
        return await in_slices(self._message_of, rows)

    async def newest_reply(self, chat_id: str) -> str | None:
        """Return the newest reply that ends a thread and is neither taken out nor to come."""
        rows = await self._database.read(NEWEST_REPLY, {"id": chat_id})
        return rows[0]["id"] if rows else None

    async def get_thread(self, message_id: str) -> list[Message]:
        """Return a message and those before it along `reply_to`, oldest first."""
        rows = await self._database.read(THREAD, {"id": message_id})
        return along_links(await in_slices(self._message_of, rows), message_id)

    def _message_of(self, row: Mapping[str, Any]) -> Message:
        return message_of(row, self._database.process)


class Overlay(Reader):
    """Read from memory what the database has not seen, and the rest from the database.

    Where the database cannot be read either, what memory does not hold is an error, never
    "there is no such chat". A list is as long as it can be.
    """

    def __init__(self, database: Database, memory: Memory) -> None:
        super().__init__(database)
        self._memory = memory

    async def get_chat(self, chat_id: str) -> Chat | None:
        """Return a chat, or None."""
        if chat_id in self._memory.chats:
            return self._with_state(self._memory.chats[chat_id])
        if chat_id in self._memory.deleted:
            return None
        return await super().get_chat(chat_id)

    async def list_chats(
        self, owner: str, query: str, limit: int, before: str | None
    ) -> list[Chat]:
        """List an owner's chats: those that changed in memory come first."""
        memory = self._memory
        words = words_of(query.casefold())
        newest = [
            self._with_state(chat)
            for chat_id in reversed(memory.changed)
            if (chat := memory.chats[chat_id]).owner == owner and self._has(chat, words)
        ]
        ids = [chat.id for chat in newest]
        if before in ids:
            newest, before = newest[ids.index(before) + 1 :], None
        elif before is not None:
            newest = []
        hidden = memory.changed.keys() | memory.deleted
        try:
            older = await super().list_chats(owner, query, limit + len(hidden), before)
        except Exception as error:
            if reason_of(error) is None:
                raise
            older = []
        shown = [
            self._with_state(memory.chats[chat.id]) if chat.id in memory.chats else chat
            for chat in older
            if chat.id not in hidden
        ]
        return [*newest, *shown][:limit]

    async def count_chats(self, owner: str) -> int:
        """Count an owner's chats; one that was deleted counts until the database forgets it."""
        memory = self._memory
        new = sum(memory.chats[chat_id].owner == owner for chat_id in memory.created)
        try:
            return new + await super().count_chats(owner)
        except Exception as error:
            if reason_of(error) is None:
                raise
            return new

    async def get_message(self, message_id: str) -> Message | None:
        """Return a message, or None."""
        if kept := self._memory.messages.get(message_id):
            return kept.whole()
        found = await super().get_message(message_id)
        return None if found is None or found.chat_id in self._memory.deleted else found

    async def find_request(self, owner: str, request_id: str) -> Message | None:
        """Return the assistant message that an owner's request made or went on with, or None."""
        for kept in self._memory.messages.values():
            message = kept.message
            if (
                request_id in (message.request_id, *kept.earlier_requests)
                and message.role == "assistant"
                and self._memory.chats[message.chat_id].owner == owner
            ):
                return kept.whole()
        try:
            found = await super().find_request(owner, request_id)
        except Exception as error:
            if reason_of(error) is None:
                raise
            # New prompts go on. One that had been answered before is answered again then.
            return None
        return None if found is None or found.chat_id in self._memory.deleted else found

    async def made_elsewhere(self, owner: str, chat_id: str | None) -> list[str]:
        """Return the ids of an owner's messages that other processes make now, if it is known."""
        try:
            return await super().made_elsewhere(owner, chat_id)
        except Exception as error:
            if reason_of(error) is None:
                raise
            return []

    async def absent(self, message_ids: Sequence[str]) -> list[str]:
        """Return none: what is being made is in memory."""
        return []

    async def get_messages(self, chat_id: str) -> list[Message]:
        """Return all messages of a chat, oldest first."""
        memory = self._memory
        if chat_id in memory.deleted:
            return []
        found: dict[str, Message] = {}
        if chat_id not in memory.created:
            try:
                found = {each.id: each for each in await super().get_messages(chat_id)}
            except Exception as error:
                if reason_of(error) is None or chat_id not in memory.chats:
                    raise
        for message_id, kept in memory.messages.items():
            if kept.message.chat_id == chat_id:
                found[message_id] = kept.whole()
        return list(found.values())

    async def newest_reply(self, chat_id: str) -> str | None:
        """Return the newest reply that ends a thread and is neither taken out nor to come."""
        return newest_reply(await self.get_messages(chat_id))

    async def get_thread(self, message_id: str) -> list[Message]:
        """Return a message and those before it along `reply_to`, oldest first."""
        thread: list[Message] = []
        seen: set[str] = set()
        wanted: str | None = message_id
        while wanted is not None and wanted not in seen:
            seen.add(wanted)
            kept = self._memory.messages.get(wanted)
            if kept is None:
                try:
                    rest = await super().get_thread(wanted)
                except Exception as error:
                    if reason_of(error) is None or not thread:
                        raise
                    rest = []
                held = self._memory.messages
                earlier = [
                    held[message.id].whole() if message.id in held else message
                    for message in rest
                    if message.chat_id not in self._memory.deleted
                ]
                return [*earlier, *reversed(thread)]
            thread.append(kept.whole())
            wanted = kept.message.reply_to
        return thread[::-1]

    def _with_state(self, chat: Chat) -> Chat:
        states = {
            str(kept.message.state)
            for kept in self._memory.messages.values()
            if kept.message.chat_id == chat.id
        }
        state = "idle"
        if states & {"generating", "stopping"}:
            state = "generating"
        elif "queued" in states:
            state = "queued"
        return chat if chat.state == state else chat.model_copy(update={"state": state})

    def _has(self, chat: Chat, words: list[str]) -> bool:
        texts = [chat.title or ""]
        texts += [
            kept.whole().text
            for kept in self._memory.messages.values()
            if kept.message.chat_id == chat.id
        ]
        return any(all(word in text.casefold() for word in words) for text in texts)


def unreadable(error: Exception) -> StopChatError:
    """Make the error that a client may hear of when the database cannot be read."""
    return StopChatError(
        ErrorCode.NOT_READABLE, f"the database cannot be read: {reason_of(error)}"
    )
