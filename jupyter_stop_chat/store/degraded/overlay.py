"""Read from memory while the store is degraded, and from the database as far as that goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_stop_chat.ports.outputs import KeptRun
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.store.database import Database
from jupyter_stop_chat.store.reading import Reader
from jupyter_stop_chat.store.spending import NOTHING
from jupyter_stop_chat.wire.objects import Chat, Message, Spent
from jupyter_stop_chat.wire.usage import together

from .held import Held
from .reason import as_far


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

    async def instructions_of(self, chat_id: str) -> str:
        """Return a chat's own instructions; empty where it has none."""
        if chat_id in self.held.chats:
            return await self._memory.instructions_of(chat_id)
        return await super().instructions_of(chat_id)

    async def sent(self, chat_id: str, digests: Sequence[str]) -> dict[str, str]:
        """Return what was sent in a chat, as far as it is known."""
        stored = await as_far(super().sent(chat_id, digests), {})
        return stored | await self._memory.sent(chat_id, digests)

    async def calls(self, message_ids: Sequence[str]) -> dict[str, list[Told]]:
        """Return the tool calls of messages, as far as they are known."""
        stored = await as_far(super().calls(message_ids), {})
        return stored | await self._memory.calls(message_ids)

    async def spent_on(self, owner: str, day: str) -> Spent:
        """Return what an owner spent on a day, as far as it is known: nobody is refused more."""
        stored = await as_far(super().spent_on(owner, day), NOTHING)
        return together(stored, await self._memory.spent_on(owner, day)) or NOTHING

    async def allowed(self, owner: str, chat_id: str | None = None) -> list[tuple[str, str]]:
        """Return which tools an owner lets act unasked, as far as that is known."""
        if owner in self.held.rules:
            return await self._memory.allowed(owner, chat_id)
        return await as_far(super().allowed(owner, chat_id), [])

    async def outputs_of(self, owner: str, path: str) -> list[KeptRun]:
        """Return the outputs that are kept for a notebook, as far as they are known."""
        stored = await as_far(super().outputs_of(owner, path), [])
        mine = await self._memory.outputs_of(owner, path)
        newer = {each.cell_id for each in mine}
        return [*(each for each in stored if each.cell_id not in newer), *mine]

    async def journal_of(self, message_id: str) -> list[dict[str, Any]]:
        """Return the rows of what a message changed, in order."""
        mine = await self._memory.get_message(message_id)
        if mine is None:
            return await super().journal_of(message_id)
        rows = await self._memory.journal_of(message_id)
        if mine.chat_id not in self.held.partial:
            return rows
        stored = await as_far(super().journal_of(message_id), [])
        known = {row["n"]: row for row in [*stored, *rows]}
        return [known[n] for n in sorted(known)]

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

    async def made_elsewhere(self, owner: str | None, chat_id: str | None) -> dict[str, str]:
        """Return what other processes make now, if it is known."""
        return await as_far(super().made_elsewhere(owner, chat_id), {})

    async def makers(self, owner: str | None, chat_id: str | None) -> dict[str, str]:
        """Return what other processes make now, if it is known."""
        return await as_far(super().makers(owner, chat_id), {})

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
