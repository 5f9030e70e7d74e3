"""What other processes do in the same chats: a second server on the data, or a kernel.

Nobody tells of it, so that it is looked for: only while something is made here, which could be
deleted there, and while somebody here looks at a reply that is made there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Chat, Message
from jupyter_stop_chat.wire.server_frames import ChatChanged, Thought
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice

from .background import Background
from .changes import Bus, MessageMoved
from .generation import Generation
from .registry import Registry
from .stop import Stopping
from .titles import Titles

#: So often is looked, in seconds.
LOOK_SECONDS = 1.0
#: For so many looks the other process may take to make a title: then one is made here.
TITLE_LOOKS = 40
#: Of a text that grew by more the followers are told how long it is, and ask for it.
MOST_TEXT = 128 * 1024


@dataclass(slots=True)
class _Watched:
    """A reply of another process, as all who follow its chat know it.

    :ivar listed: its chat is in a list that its owner was given.
    """

    chat: Chat
    message: Message
    listed: bool = False


@dataclass(slots=True)
class _Untitled:
    """A chat whose reply ended elsewhere, and whose title is to come from there."""

    chat: Chat
    reply: Message
    looks: int = 0


class Elsewhere:
    """What notices what other processes do to chats that matter here."""

    def __init__(
        self,
        registry: Registry,
        stopping: Stopping,
        store: Store,
        bus: Bus,
        background: Background,
        titles: Titles,
    ) -> None:
        self._registry = registry
        self._stopping = stopping
        self._store = store
        self._bus = bus
        self._background = background
        self._titles = titles
        self._watched: dict[str, _Watched] = {}
        self._untitled: dict[str, _Untitled] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._looking = False
        self._closed = False

    def watch(self, chat: Chat, messages: Iterable[Message]) -> None:
        """Tell a chat's followers what becomes of the replies that others make.

        :param messages: what a follower was told of the chat.
        """
        for message in messages:
            if message.made_elsewhere:
                # One that came earlier knows less, and what is told begins where it ends.
                self._watched.setdefault(message.id, _Watched(chat, message))
                # Some of its text may become reasoning while nobody here looks.
                self._registry.rethought[message.id] += 1
        if self._watched:
            self.wake()

    async def watch_listed(self, chats: Iterable[Chat], message_ids: Mapping[str, str]) -> None:
        """Tell an owner what becomes of the chats of a list that others work in.

        :param message_ids: of what is made elsewhere, with the ids of their chats.
        """
        listed = {chat.id: chat for chat in chats}
        for message_id, chat_id in message_ids.items():
            if (chat := listed.get(chat_id)) is None:
                continue
            message = await self._store.get_message(message_id)
            if message is not None:
                self.watch(chat, [message])
            if (watched := self._watched.get(message_id)) is not None:
                watched.listed = True

    def wake(self) -> None:
        """Look soon, and again and again while there is a reason to."""
        if self._timer is None and not self._looking and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._begin)

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._timer, self._looking = None, True
        self._background.run(self._look_and_wake(), "elsewhere")

    async def _look_and_wake(self) -> None:
        try:
            await self.look()
        finally:
            self._looking = False
            if self._watched or self._untitled or self._registry.running():
                self.wake()

    async def look(self) -> None:
        """Look once. A store that cannot be read now is asked again."""
        try:
            await self._look_for_lost()
            await self._look_at_watched()
            await self._look_for_titles()
        except StopChatError:
            return

    async def _look_for_lost(self) -> None:
        """Stop what is made of messages that another process deleted or ended, and tell of that.

        It ends what it takes for left behind: this one may have been suspended for long.
        """
        ours = {
            generation.id: generation
            for generation in self._registry.running()
            if _is_written(generation)
        }
        if not ours:
            return
        lost = await self._store.lost(list(ours))
        gone = [generation for each in lost if _is_written(generation := ours[each])]
        if not gone:
            return
        keys = {(each.owner, each.chat_id) for each in gone}
        lanes = [lane for key in keys if (lane := self._registry.lane(*key))]
        chats = [lane.chat for lane in lanes if lane.chat]
        for generation in gone:
            self._stopping.begin(generation, "deleted")
        await asyncio.wait({each.settled for each in gone})
        for chat in chats:
            kept = await self._store.get_chat(chat.id)
            if kept is None or kept.owner != chat.owner:
                self._tell_deleted(chat)
            else:
                self.watch(chat, [each.message for each in gone if each.chat_id == chat.id])

    async def _look_at_watched(self) -> None:
        for message_id, watched in list(self._watched.items()):
            if not self._is_looked_at(watched.chat, watched.listed):
                del self._watched[message_id]
        if self._watched:
            # What its process left behind when it ended becomes interrupted here.
            await self._store.recover()
        for message_id, watched in list(self._watched.items()):
            message = await self._store.get_message(message_id)
            if message is None or not message.made_elsewhere:
                del self._watched[message_id]
            if message is not None:
                await self._tell_grown(watched, message)
            chat = watched.chat
            if message is None and await self._store.get_chat(chat.id) is None:
                self._tell_deleted(chat)

    def _is_looked_at(self, chat: Chat, listed: bool = True) -> bool:
        attended = listed and self._bus.is_attended(chat.owner)
        return attended or self._bus.is_followed(chat.id)

    async def _look_for_titles(self) -> None:
        for chat_id, untitled in list(self._untitled.items()):
            untitled.looks += 1
            chat = await self._store.get_chat(chat_id)
            late = untitled.looks > TITLE_LOOKS
            if chat is None or chat.title is not None or late or not self._is_looked_at(chat):
                del self._untitled[chat_id]
            if chat is not None and chat.title is not None:
                self._titles.tell(chat)
            elif late:
                self._titles.consider(chat, untitled.reply, busy=True)

    async def _tell_grown(self, watched: _Watched, message: Message) -> None:
        known = watched.message
        thought = message.reasoning != known.reasoning
        grew = thought or message.text_length != known.text_length
        if not grew and _without_text(message) == _without_text(known):
            return
        if message.state not in TERMINAL and not message.made_elsewhere:
            return  # it is gone on with here, and told of as all that is made here
        watched.message = message
        start = min(known.text_length, message.text_length)
        if thought and not message.text.startswith(known.text):
            # What stood there was a thought.
            same = takewhile(
                lambda pair: pair[0] == pair[1], zip(message.text, known.text, strict=False)
            )
            start = utf16_length("".join(one for one, _ in same))
            self._bus.tell(message.chat_id, Thought(message_id=message.id, text_length=start))
        text = utf16_slice(message.text, start, message.text_length)
        if len(text) > MOST_TEXT:
            start, text = message.text_length, ""
        news = {"text": text, "text_offset": start}
        self._bus.tell(
            message.chat_id,
            MessageMoved(
                message.model_copy(update=news if thought else {**news, "reasoning": None}),
                carries_text=True,
            ),
        )
        if message.state in TERMINAL:
            chat = await self._store.get_chat(message.chat_id)
            if chat is None:
                return
            if chat.title is None:
                self._untitled.setdefault(chat.id, _Untitled(chat, message))
            self._bus.announce(chat.owner, ChatChanged(chat=chat))

    def _tell_deleted(self, chat: Chat) -> None:
        self._titles.abandon(chat.id)
        gone = ChatChanged(chat=chat.model_copy(update={"state": "idle"}), deleted=True)
        self._bus.announce(chat.owner, gone)
        self._bus.publish(chat.id, gone)


def _without_text(message: Message) -> Message:
    none = {"text": "", "text_offset": 0, "text_length": 0, "reasoning": None}
    return message.model_copy(update=none)


def _is_written(generation: Generation) -> bool:
    """Tell whether a generation's message is in the store, and still being made."""
    if not generation.is_accepted:
        return False
    return generation.stop is None and not generation.claimed and not generation.settled.done()
