"""Read chats and messages from the database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Executable, func, select

from jupyter_stop_chat.ports.outputs import KeptRun
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.wire.objects import Chat, Message, Spent
from jupyter_stop_chat.wire.utf16 import whole

from .database import Database
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
from .schema import IS_LIVE, calls, chats, identity, messages, sent_instructions
from .search.hits import LOOKED_AT, line_with
from .search.search import in_text, matches, words_of
from .slices import id_slices, in_slices
from .spending import NOTHING, OF_DAY
from .tools.allowed import rules_of
from .tools.calls import COLUMNS, told_by
from .tools.journal import OF_MESSAGE
from .tools.outputs import kept_of, outputs_of


class Reader:
    """What reads from the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, statement: Executable) -> list[dict[str, Any]]:
        """Return the rows of a statement on what is in the database alone."""
        return await self._database.read(statement)

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

    async def instructions_of(self, chat_id: str) -> str:
        """Return a chat's own instructions; empty where it has none."""
        its = select(chats.c.instructions).where(chats.c.id == chat_id)
        rows = await self._database.read(its)
        return (rows[0]["instructions"] or "") if rows else ""

    async def sent(self, chat_id: str, digests: Sequence[str]) -> dict[str, str]:
        """Return what was sent in a chat, by digests."""
        texts: dict[str, str] = {}
        for some in id_slices(digests):
            found = select(sent_instructions.c.digest, sent_instructions.c.text).where(
                sent_instructions.c.chat_id == chat_id, sent_instructions.c.digest.in_(some)
            )
            rows = await self._database.read(found)
            texts |= {row["digest"]: row["text"] for row in rows}
        return texts

    async def calls(self, message_ids: Sequence[str]) -> dict[str, list[Told]]:
        """Return the tool calls of messages, in order, by the messages' ids."""
        found: dict[str, list[Told]] = {}
        for some in id_slices(message_ids):
            rows = await self._database.read(
                select(messages.c.id, *(calls.c[name] for name in COLUMNS))
                .join(messages, messages.c.seq == calls.c.message)
                .where(messages.c.id.in_(some))
                .order_by(calls.c.message, calls.c.n)
            )
            found |= told_by(rows)
        return found

    async def spent_on(self, owner: str, day: str) -> Spent:
        """Return what an owner spent on a day."""
        rows = await self._database.read(OF_DAY, {"owner": whole(owner), "day": day})
        return Spent(**rows[0]) if rows else NOTHING

    async def allowed(self, owner: str, chat_id: str | None = None) -> list[tuple[str, str]]:
        """Return which tools an owner lets act unasked, and in which chats; empty: in all."""
        rows = await self._database.read(rules_of(owner, chat_id))
        return [(row["chat_id"], row["tool"]) for row in rows]

    async def outputs_of(self, owner: str, path: str) -> list[KeptRun]:
        """Return the outputs that are kept for a notebook of an owner, oldest first."""
        return [kept_of(row) for row in await self._database.read(outputs_of(owner, path))]

    async def journal_of(self, message_id: str) -> list[dict[str, Any]]:
        """Return the rows of what a message changed, in order."""
        return await self._database.read(OF_MESSAGE, {"id": message_id})

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

    async def made_elsewhere(self, owner: str | None, chat_id: str | None) -> dict[str, str]:
        """Return what other processes make now, of an owner or of all: ids, with their chats'."""
        return await self._made_elsewhere(messages.c.chat_id, owner, chat_id)

    async def makers(self, owner: str | None, chat_id: str | None) -> dict[str, str]:
        """Return the ids of what other processes make now, with theirs."""
        return await self._made_elsewhere(messages.c.process, owner, chat_id)

    async def _made_elsewhere(
        self, told: Column[Any], owner: str | None, chat_id: str | None
    ) -> dict[str, str]:
        statement = select(messages.c.id, told.label("told")).where(
            IS_LIVE, messages.c.process != self._database.process
        )
        if owner is not None:
            statement = statement.where(messages.c.owner == owner)
        if chat_id is not None:
            statement = statement.where(messages.c.chat_id == chat_id)
        rows = await self._database.read(statement.order_by(messages.c.seq))
        return {row["id"]: row["told"] for row in rows}

    async def identity(self) -> str:
        """Return the name of the database, which no other has."""
        rows = await self._database.read(select(identity.c.id))
        return str(rows[0]["id"])

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
        thread = along_links(await in_slices(self._message_of, rows), message_id)
        await asyncio.sleep(0)  # who asked goes through all of it as well
        return thread

    def _message_of(self, row: Mapping[str, Any]) -> Message:
        return message_of(row, self._database.process)


def _lines_with(words: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    found = ((row["chat_id"], line_with(row["text"], words)) for row in rows)
    return {chat_id: line for chat_id, line in found if line is not None}
