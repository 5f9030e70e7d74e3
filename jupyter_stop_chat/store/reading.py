"""Read chats and messages: from the database, and from memory while the store is degraded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select

from jupyter_stop_chat.wire.objects import Chat, Message

from .database import Database
from .degraded.held import Held
from .degraded.reason import as_far
from .hits import LOOKED_AT, line_with
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
from .search import in_text, matches, words_of
from .slices import id_slices, in_slices


class Reader:
    """What reads from the database."""

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
        place = None
        if before is not None and (place := await self.place_of(owner, before)) is None:
            return []
        return [chat for _, chat in await self.page(owner, query, limit, place)]

    async def place_of(self, owner: str, chat_id: str) -> int | None:
        """Return a chat's place in its owner's list, a number that grows; None if it has none."""
        place = select(chats.c.changed).where(chats.c.id == chat_id, chats.c.owner == owner)
        rows = await self._database.read(place)
        return rows[0]["changed"] if rows else None

    async def page(
        self, owner: str, query: str, limit: int, before: int | None
    ) -> list[tuple[int, Chat]]:
        """Return a page of an owner's list, with the places in it."""
        statement = CHATS.where(chats.c.owner == owner).limit(limit)
        found = self._matches(query)
        if found is not None:
            statement = statement.where(found)
        if before is not None:
            statement = statement.where(chats.c.changed < before)
        return [(row.pop("changed"), chat_of(row)) for row in await self._database.read(statement)]

    async def hits(self, chat_ids: Sequence[str], query: str) -> dict[str, str]:
        """Return of some chats the lines in which a query is found, by the chats' ids."""
        prepared = self._database.prepared
        found = in_text(query, self._database.dialect, bool(prepared and prepared.indexed))
        lines: dict[str, str] = {}
        if found is None:
            return lines
        words = words_of(query)
        for some in id_slices(chat_ids):
            first = (
                select(func.min(messages.c.seq))
                .where(messages.c.chat_id.in_(some), found)
                .group_by(messages.c.chat_id)
            )
            rows = await self._database.read(
                select(
                    messages.c.chat_id, func.substr(messages.c.text, 1, LOOKED_AT).label("text")
                ).where(messages.c.seq.in_(first))
            )
            # In a thread: a text may be long, and have very many lines.
            lines |= await asyncio.to_thread(_lines_with, words, rows)
        return lines

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
        for some in id_slices(chat_ids):
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

    async def makes_any(self) -> bool:
        """Tell whether this process makes messages now."""
        ours = messages.c.process == self._database.process
        return bool(await self._database.read(select(messages.c.id).where(IS_LIVE, ours).limit(1)))

    async def lost(self, message_ids: Sequence[str]) -> list[str]:
        """Return which of some messages this process makes no more."""
        there: set[str] = set()
        for some in id_slices(message_ids):
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
    """What reads the chats that are held from memory, and the others from the database.

    Where the database cannot be read either, what is not held is an error, never "there is no
    such chat". A list is as long as it can be.
    """

    def __init__(self, database: Database, held: Held) -> None:
        super().__init__(database)
        self.held = held
        self._memory = Reader(held.memory)

    async def get_chat(self, chat_id: str) -> Chat | None:
        """Return a chat, or None."""
        if chat_id in self.held.chats:
            return await self._memory.get_chat(chat_id)
        return await super().get_chat(chat_id)

    async def place_of(self, owner: str, chat_id: str) -> int | None:
        """Return a chat's place in its owner's list; None if it is not there, or not known."""
        if chat_id in self.held.chats:
            return await self._memory.place_of(owner, chat_id)
        return await as_far(super().place_of(owner, chat_id), None)

    async def page(
        self, owner: str, query: str, limit: int, before: int | None
    ) -> list[tuple[int, Chat]]:
        """Return a page of an owner's list, with the places in it."""
        held = self.held.chats
        mine = await self._memory.page(owner, query, limit, before)
        # Of those that are held, some may stand there still.
        others = await as_far(super().page(owner, query, limit + len(held), before), [])
        both = [*mine, *(each for each in others if each[1].id not in held)]
        return sorted(both, key=lambda each: each[0], reverse=True)[:limit]

    async def hits(self, chat_ids: Sequence[str], query: str) -> dict[str, str]:
        """Return the lines in which a query is found, as far as they are known."""
        stored = await as_far(super().hits(chat_ids, query), {})
        return stored | await self._memory.hits(chat_ids, query)

    async def count_chats(self, owner: str) -> int:
        """Count an owner's chats, as far as they are known."""
        held = list(self.held.chats)
        known = await self._memory.count_chats(owner)
        stored = await as_far(super().count_chats(owner), 0)
        return known + stored - await as_far(self.owned_among(owner, held), 0)

    async def get_message(self, message_id: str) -> Message | None:
        """Return a message, or None."""
        mine = await self._memory.get_message(message_id)
        if mine is not None and not mine.made_elsewhere:
            return mine
        found = await (
            as_far(super().get_message(message_id), mine)
            if mine
            else super().get_message(message_id)
        )
        return found if mine is not None or self._is_stored(found) else None

    async def find_request(self, owner: str, request_id: str) -> Message | None:
        """Return the assistant message that an owner's request made or went on with, or None."""
        mine = await self._memory.find_request(owner, request_id)
        if mine is not None:
            return mine
        # New prompts go on. One that had been answered before is answered again then.
        found = await as_far(super().find_request(owner, request_id), None)
        return found if self._is_stored(found) else None

    async def made_elsewhere(self, owner: str, chat_id: str | None) -> dict[str, str]:
        """Return what other processes make now, if it is known."""
        return await as_far(super().made_elsewhere(owner, chat_id), {})

    async def makes_any(self) -> bool:
        """Tell whether this process makes messages now, as far as it is known."""
        return await self._memory.makes_any() or await as_far(super().makes_any(), False)

    async def lost(self, message_ids: Sequence[str]) -> list[str]:
        """Return none: what is being made goes on in memory."""
        return []

    async def get_messages(self, chat_id: str) -> list[Message]:
        """Return all messages of a chat, oldest first."""
        if chat_id not in self.held.chats:
            return await super().get_messages(chat_id)
        mine = await self._memory.get_messages(chat_id)
        if chat_id not in self.held.partial and not any(each.made_elsewhere for each in mine):
            return mine
        stored = {each.id: each for each in await as_far(super().get_messages(chat_id), [])}
        new = {each.id: each for each in mine if each.id not in stored or not each.made_elsewhere}
        return list({**stored, **new}.values())

    async def newest_reply(self, chat_id: str) -> str | None:
        """Return the newest reply that ends a thread and is neither taken out nor to come."""
        if chat_id in self.held.chats:
            return await self._memory.newest_reply(chat_id)
        return await super().newest_reply(chat_id)

    async def get_thread(self, message_id: str) -> list[Message]:
        """Return a message and those before it along `reply_to`, oldest first."""
        mine = await self._memory.get_thread(message_id)
        if not mine:
            stored = await super().get_thread(message_id)
            return stored if stored and self._is_stored(stored[0]) else []
        before = mine[0].reply_to
        if before is None or mine[0].chat_id not in self.held.partial:
            return mine
        return [*await as_far(super().get_thread(before), []), *mine]

    def _is_stored(self, found: Message | None) -> bool:
        """Tell whether a message of the database stands there as it is."""
        chats = self.held.chats - self.held.partial
        return found is not None and found.chat_id not in chats


def _lines_with(words: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    found = ((row["chat_id"], line_with(row["text"], words)) for row in rows)
    return {chat_id: line for chat_id, line in found if line is not None}
