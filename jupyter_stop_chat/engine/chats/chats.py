"""An owner's chats as such: how they are found, named, told what to do, and deleted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from jupyter_stop_chat.engine.changes import Bus
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.engine.registry import Registry
from jupyter_stop_chat.engine.servers.elsewhere import Elsewhere
from jupyter_stop_chat.engine.stop import Stopping
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Chat, Message
from jupyter_stop_chat.wire.server_frames import ChatChanged
from jupyter_stop_chat.wire.terms import SEEN

from .titles import Titles


class Chats:
    """What finds and changes an owner's chats."""

    def __init__(
        self,
        registry: Registry,
        store: Store,
        bus: Bus,
        stopping: Stopping,
        titles: Titles,
        elsewhere: Elsewhere,
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._stopping = stopping
        self._titles = titles
        self._elsewhere = elsewhere

    async def chat(self, owner: str, chat_id: str) -> Chat:
        """Return an owner's chat with its state.

        :raises StopChatError: `unknown_chat`, also for a chat of another owner.
        """
        chat = await self._store.get_chat(chat_id)
        if chat is None or chat.owner != owner:
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)
        return await self._registry.as_it_is(chat, self._store)

    async def message(self, owner: str, message_id: str, role: str) -> Message:
        """Return an owner's message.

        :raises StopChatError: `unknown_message`, also for one of another owner.
        """
        message = await self._store.get_message(message_id)
        if message is None or message.role != role:
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
        try:
            await self.chat(owner, message.chat_id)
        except StopChatError:
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE) from None
        return message

    async def with_states(self, owner: str, chats: Sequence[Chat]) -> tuple[Chat, ...]:
        """Return an owner's chats with their states, also of those that another process works in.

        What becomes of these is told to the owner from then on.
        """
        made_elsewhere = await self._store.made_elsewhere(owner)
        here = self._registry.with_state
        if not made_elsewhere:
            return tuple(map(here, chats))
        await self._elsewhere.watch_listed(chats, made_elsewhere)
        # What became of these since the list was read was told to nobody.
        elsewhere = set(made_elsewhere.values())
        now = [
            (await self._store.get_chat(chat.id) or chat) if chat.id in elsewhere else chat
            for chat in chats
        ]
        return tuple(chat if chat.id in elsewhere else here(chat) for chat in now)

    def tell_state(self, generation: Generation) -> None:
        """Tell an owner of the state of the chat in which something is made."""
        lane = self._registry.lane(generation.owner, generation.chat_id)
        if lane is not None and lane.chat is not None:
            chat = lane.chat.model_copy(update={"state": lane.state})
            self._bus.announce(lane.owner, ChatChanged(chat=chat))

    async def set_title(self, owner: str, chat_id: str, title: str | None) -> Chat:
        """Give a chat another title, or none, and tell of it.

        :raises StopChatError: `unknown_chat`, `blank_title`.
        """
        if title is not None and not re.search(SEEN, title):
            raise StopChatError(ErrorCode.BLANK_TITLE)
        chat = await self.chat(owner, chat_id)
        self._titles.abandon(chat_id)
        if not await self._store.set_title(chat_id, title):
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)
        await self._titles.tell(chat.model_copy(update={"title": title}))
        return await self.chat(owner, chat_id)

    async def set_instructions(self, owner: str, chat_id: str, text: str) -> None:
        """Give a chat other instructions, or none.

        :raises StopChatError: `unknown_chat`.
        """
        await self.chat(owner, chat_id)
        if not await self._store.instructions.set(chat_id, text):
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)

    async def delete(self, owner: str, chat_id: str) -> None:
        """Stop all that is made or waits in a chat, delete it, and tell of that.

        :raises StopChatError: `unknown_chat`.
        """
        chat = await self.chat(owner, chat_id)
        self._titles.abandon(chat_id)
        await self._end_all(owner, chat_id)
        self._titles.abandon(chat_id)
        deleted = await self._store.delete_chat(chat_id)
        await self._end_all(owner, chat_id)  # what was asked for meanwhile is made for nobody
        if not deleted:
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)
        gone = ChatChanged(chat=chat.model_copy(update={"state": "idle"}), deleted=True)
        self._bus.announce(owner, gone)
        self._bus.publish(chat_id, gone)

    async def _end_all(self, owner: str, chat_id: str) -> None:
        found = [each for each in self._registry.running(owner) if each.chat_id == chat_id]
        for generation in found:
            self._stopping.begin(generation, "deleted")
        if found:
            await asyncio.wait({generation.settled for generation in found})
