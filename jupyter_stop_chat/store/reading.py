"""Read chats and messages: from the database, and from memory while the store is degraded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Chat, Message

from .database import Database
from .degraded.memory import Memory
from .degraded.reason import reason_of
from .finding import Finder, finder
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
from .search import matches
from .slices import in_slices

#: So many messages are asked for at once: SQLite's builds before 3.32 take 999 variables.
_IDS = 500


class Reader:
    """What reads from the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_chat(self, chat_id: str) -> Chat | None:
        """Return a chat, or None."""
        rows = await self._database.read(ONE_CHAT, {"id": chat_id})
        return chat_of(rows[0]) if rows else None

    async def list_chats(
        self,
        owner: str,
        query: str,
        limit: int,
        before: str | None,
        also: Collection[str] = (),
    ) -> list[Chat]:
        """List an owner's chats, newest change first.

        :param also: chats that are found whatever was asked for.
        """
        statement = CHATS.where(chats.c.owner == owner).limit(limit)
        found = self._matches(query)
        if found is not None:
            statement = statement.where(or_(found, chats.c.id.in_(also)) if also else found)
        if before is not None:
            last = chats.alias()
            # Another owner's is no place in this list, as one that does not exist.
            last_chat = (last.c.id == before) & (last.c.owner == owner)
            changed = select(last.c.changed).where(last_chat).scalar_subquery()
            statement = statement.where(chats.c.changed < changed)
        return [chat_of(row) for row in await self._database.read(statement)]

    async def found_among(self, query: str, chat_ids: Sequence[str]) -> set[str]:
        """Return in which of some chats is found what was asked for."""
        there: set[str] = set()
        found = self._matches(query)
        if found is None:
            return set(chat_ids)
        for some in _slices(chat_ids):
            statement = select(chats.c.id).where(found, chats.c.id.in_(some))
            there.update(row["id"] for row in await self._database.read(statement))
        return there

    def _matches(self, query: str) -> ColumnElement[bool] | None:
        prepared = self._database.prepared
        return matches(query, self._database.dialect, bool(prepared and prepared.indexed))

    async def count_chats(self, owner: str) -> int:
        """Count an owner's chats."""
        counted = select(func.count().label("number")).where(chats.c.owner == owner)
        return int((await self._database.read(counted))[0]["number"])

    async def owned_among(self, owner: str, chat_ids: Sequence[str]) -> int:
        """Count which of some chats are an owner's."""
        number = 0
        for some in _slices(chat_ids):
            counted = select(func.count().label("number")).where(
                chats.c.owner == owner, chats.c.id.in_(some)
            )
            number += int((await self._database.read(counted))[0]["number"])
        return number

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

    async def has_answered(self, owner: str, request_id: str) -> Message | None:
        """Return the assistant message that bears an owner's request, or None."""
        asked = {"owner": owner, "request_id": request_id}
        rows = await self._database.read(BY_REQUEST, asked)
        return message_of(rows[0], self._database.process) if rows else None

    async def made_elsewhere(self, owner: str, chat_id: str | None) -> dict[str, str]:
        """Return what of an owner's other processes make now: ids, with their chats'."""
        statement = select(messages.c.id, messages.c.chat_id).where(
            IS_LIVE, messages.c.owner == owner, messages.c.process != self._database.process
        )
        if chat_id is not None:
            statement = statement.where(messages.c.chat_id == chat_id)
        rows = await self._database.read(statement.order_by(messages.c.seq))
        return {row["id"]: row["chat_id"] for row in rows}

    async def lost(self, message_ids: Sequence[str]) -> list[str]:
        """Return which of some messages this process makes no more."""
        there: set[str] = set()
        for some in _slices(message_ids):
            ours = messages.c.process == self._database.process
            found = select(messages.c.id).where(messages.c.id.in_(some), IS_LIVE, ours)
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
    """What reads from memory what the database has not seen, and the rest from the database.

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
        self,
        owner: str,
        query: str,
        limit: int,
        before: str | None,
        also: Collection[str] = (),
    ) -> list[Chat]:
        """List an owner's chats: those that changed in memory come first."""
        memory = self._memory
        if before in memory.deleted and before not in memory.chats:
            return []  # no place in the list, as one that does not exist
        has = finder(query)
        newest = [
            chat_id for chat_id in reversed(memory.changed) if memory.chats[chat_id].owner == owner
        ]
        if before in newest:
            newest, before = newest[newest.index(before) + 1 :], None
        elif before is not None:
            newest = []
        hidden = memory.changed.keys() | memory.deleted
        titled = [each for each in memory.titled - hidden if self._has(each, has)]
        also = [*also, *titled][:_IDS]
        found: set[str] = set()
        try:
            older = await super().list_chats(owner, query, limit + len(hidden), before, also)
            found = await super().found_among(query, newest)
        except Exception as error:
            if reason_of(error) is None:
                raise
            older = []
        changed = [
            self._with_state(memory.chats[each])
            for each in newest
            if each in found or self._has(each, has)
        ]
        shown = [
            self._with_state(memory.chats[chat.id]) if chat.id in memory.chats else chat
            for chat in older
            if chat.id not in hidden
        ]
        return [*changed, *shown][:limit]

    async def count_chats(self, owner: str) -> int:
        """Count an owner's chats, as far as they are known."""
        memory = self._memory
        known = sum(chat.owner == owner for chat in memory.chats.values())
        held = list(memory.chats.keys() | memory.deleted)
        try:
            return known + await super().count_chats(owner) - await self.owned_among(owner, held)
        except Exception as error:
            if reason_of(error) is None:
                raise
            return known

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
                and (kept.owner or self._memory.chats[message.chat_id].owner) == owner
            ):
                return kept.whole()
        try:
            found = await super().find_request(owner, request_id)
        except Exception as error:
            if reason_of(error) is None:
                raise
            # New prompts go on. One that had been answered before is answered again then.
            return None
        if found is None or found.chat_id in self._memory.deleted:
            return None
        held = self._memory.messages.get(found.id)
        return found if held is None else held.whole()

    async def made_elsewhere(self, owner: str, chat_id: str | None) -> dict[str, str]:
        """Return what other processes make now, if it is known."""
        try:
            return await super().made_elsewhere(owner, chat_id)
        except Exception as error:
            if reason_of(error) is None:
                raise
            return {}

    async def lost(self, message_ids: Sequence[str]) -> list[str]:
        """Return none: what is being made is in memory."""
        return []

    async def get_messages(self, chat_id: str) -> list[Message]:
        """Return all messages of a chat, oldest first."""
        memory = self._memory
        found: dict[str, Message] = {}
        if chat_id not in memory.created:
            if chat_id in memory.deleted:
                return []
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
        thread: dict[str, Message] = {}
        read: dict[str, Message] = {}
        wanted: str | None = message_id
        while wanted is not None and wanted not in thread:
            kept = self._memory.messages.get(wanted)
            if kept is None and wanted not in read:
                try:
                    rest = await super().get_thread(wanted)
                except Exception as error:
                    if reason_of(error) is None or not thread:
                        raise
                    break
                read.update((message.id, message) for message in rest)
            found = read.get(wanted) if kept is None else kept.whole()
            if found is None or (kept is None and found.chat_id in self._memory.deleted):
                break
            thread[wanted] = found
            wanted = found.reply_to
        return list(thread.values())[::-1]

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

    def _has(self, chat_id: str, has: Finder) -> bool:
        """Tell whether what was asked for is in a chat's title, or in memory's part of it."""
        return has(self._memory.chats[chat_id].title, title=True) or any(
            has(kept.whole().text, title=False)
            for kept in self._memory.messages.values()
            if kept.message.chat_id == chat_id
        )


def _slices(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[first : first + _IDS] for first in range(0, len(ids), _IDS))


def unreadable(error: Exception) -> StopChatError:
    """Make the error that a client may hear of when the database cannot be read."""
    return StopChatError(
        ErrorCode.NOT_READABLE, f"the database cannot be read: {reason_of(error)}"
    )
