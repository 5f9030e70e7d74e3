"""What other processes do in the same chats: a second server on the data, or a kernel.

Where they tell of it, it is told on here at once. Not all may arrive, and some tell nothing, so
that it is looked for as well: only while something is made here, which could be stopped or deleted
there, and while somebody here looks at a reply that is made there.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import ValidationError

from jupyter_stop_chat.engine.background import Background
from jupyter_stop_chat.engine.changes import Bus
from jupyter_stop_chat.engine.chats.titles import Titles
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.engine.registry import Registry
from jupyter_stop_chat.engine.stop import Stopping, named
from jupyter_stop_chat.ports.peers import Announced, MoreText, Moved, News, Peers, Question
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Chat, Message
from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged, server_frames

from .others import Others
from .watched import WatchedReplies, is_looked_at

#: So often is looked, in seconds.
LOOK_SECONDS = 1.0
#: So often at a reply that somebody here looks at, where nobody tells of it.
FOLLOW_SECONDS = 0.25
#: For so many looks the other process may take to make a title: then one is made here.
TITLE_LOOKS = 40


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
        others: Others,
        peers: Peers | None,
    ) -> None:
        self._registry = registry
        self._stopping = stopping
        self._store = store
        self._bus = bus
        self._background = background
        self._titles = titles
        self._others = others
        self._peers = peers
        self._watched = WatchedReplies(
            registry, store, bus, background, self._tell_ended, self._tell_deleted
        )
        self._looked = -math.inf
        #: Others may have told something that did not arrive.
        self._missed = False
        self._untitled: dict[str, _Untitled] = {}
        #: What the store could not be read for: it is tried again.
        self._again: dict[str, Callable[[], Awaitable[None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._looking = False
        self._closed = False

    def watch(self, chat: Chat, messages: Iterable[Message]) -> None:
        """Tell a chat's followers what becomes of the replies that others make.

        :param messages: what a follower was told of the chat.
        """
        self._watched.add(chat, messages)
        if self._watched:
            self.wake()

    def watch_opened(self, chat: Chat, messages: Sequence[Message], told: Container[str]) -> None:
        """Do the same for a page that was given a chat's list.

        :param told: of what something was told while it was read.
        """
        self._watched.add_opened(chat, messages, told)
        if self._watched:
            self.wake()

    def newest(self, messages: Sequence[Message]) -> list[Message]:
        """Return messages with the text that was told of them while they were read.

        What is told from now on begins behind it.
        """
        return self._watched.newest(messages)

    def unsure(self, messages: Sequence[Message]) -> set[str]:
        """Return those of messages whose text may begin otherwise than was told here."""
        return self._watched.unsure(messages)

    async def watch_listed(self, chats: Iterable[Chat], message_ids: Mapping[str, str]) -> None:
        """Tell an owner what becomes of the chats of a list that others work in.

        :param message_ids: of what is made elsewhere, with the ids of their chats.
        """
        listed = {chat.id: chat for chat in chats}
        for message_id, chat_id in message_ids.items():
            if (chat := listed.get(chat_id)) is None:
                continue
            if self._bus.is_followed(chat_id):
                await self._watched.look_for_new(chat)
            message = await self._store.get_message(message_id)
            if message is not None:
                self._watched.add(chat, [message])
            self._watched.list_chat(message_id)
        if self._watched:
            self.wake()

    def accepted(self, chat: Chat, accepted: Accepted) -> None:
        """Tell of a request that another process has accepted, and what becomes of its reply."""
        self._bus.announce(chat.owner, accepted)
        self._watched.add_accepted(chat, accepted)
        self.wake()

    def tell_left_behind(self, reply: Message) -> None:
        """Tell a chat's followers of a reply whose process ended, if they may not know it."""
        if self._bus.is_followed(reply.chat_id):
            self._begin_try(f"left {reply.id}", partial(self._watched.tell_left_behind, reply))

    def stop_if_asked(self, owner: str, request_id: str, message_id: str) -> None:
        """Stop what was stopped here by its request before that was accepted elsewhere."""
        stop = self._registry.recall(owner, request_id)
        if stop is not None:
            work = self._stopping.stop(owner, named(stop, message_id))
            self._background.run(work, "stop elsewhere")

    def wake(self) -> None:
        """Look soon, and again and again while there is a reason to."""
        if self._timer is None and not self._looking and not self._closed:
            wait = self._peers.interval if self._peers is not None else LOOK_SECONDS
            self._timer = asyncio.get_running_loop().call_later(wait, self._begin)

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        self._watched.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._timer, self._looking = None, True
        self._background.run(self._look_and_wake(), "elsewhere")

    async def _look_and_wake(self) -> None:
        try:
            making = [each.id for each in self._registry.running() if each.is_accepted]
            if self._peers is not None and making:
                await self._peers.look(making)
            told = self._peers is not None and self._peers.tells
            pace = LOOK_SECONDS if told or not self._watched else FOLLOW_SECONDS
            now = asyncio.get_running_loop().time()
            if now - self._looked >= pace:
                self._looked = now
                await self.look()
        finally:
            self._looking = False
            if self._watched or self._untitled or self._again or self._registry.running():
                self.wake()

    async def look(self) -> None:
        """Look once. A store that cannot be read now is asked again."""
        for name, work in list(self._again.items()):
            del self._again[name]
            await self._try(name, work)
        try:
            await self._look_for_lost()
            if self._missed:
                self._missed = False
                try:
                    await self._watched.look_for_missed()
                except StopChatError:
                    self._missed = True
                    raise
            await self._watched.look()
            await self._look_for_titles()
        except StopChatError:
            return

    def _begin_try(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._background.run(self._try(name, work), "elsewhere")

    async def _try(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do what reads the store; if it cannot be read now, at the next look."""
        try:
            await work()
        except StopChatError:
            self._again[name] = work
            self.wake()

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

    # --- what others ask and tell ------------------------------------------------------------

    async def answer(self, question: Question) -> str:
        """Do what another process asks, and return what a page would be answered."""
        return await self._others.answer(question)

    def stop_flagged(self, message_id: str) -> None:
        """Stop what makes a message: a flag asks for it."""
        generation = self._registry.get(message_id)
        if generation is not None and _is_written(generation):
            self._stopping.begin_flagged(generation)

    def may_have_missed(self) -> None:
        """Look at all that is watched: what others told may not have arrived here for a while."""
        self._looked, self._missed = -math.inf, True
        self._watched.look_at_all_soon()
        self.wake()

    def hear(self, owner: str, news: News) -> None:
        """Hear what another process did to an owner's chat."""
        match news:
            case MoreText():
                self._watched.hear_text(news)
            case Moved():
                self._watched.hear_moved(news)
            case Announced(frame):
                try:
                    announced = server_frames.validate_json(frame)
                except ValidationError:
                    return  # another version of this package
                if isinstance(announced, ChatChanged):
                    self._hear_chat(owner, announced)
                elif isinstance(announced, Accepted):
                    work = partial(self._hear_accepted, owner, announced)
                    self._begin_try(f"accepted {announced.message.id}", work)

    def _hear_chat(self, owner: str, changed: ChatChanged) -> None:
        if changed.deleted:
            self._titles.abandon(changed.chat.id)
            self._untitled.pop(changed.chat.id, None)
            self._bus.tell(changed.chat.id, changed)
            if self._registry.running(owner):
                self._background.run(self.look(), "elsewhere")
        else:
            changed = self._as_known_here(owner, changed)
        self._bus.announce(owner, changed)

    def _as_known_here(self, owner: str, changed: ChatChanged) -> ChatChanged:
        """Take from what another process tells what is not known better here.

        What works here knows the state; a title that it knows otherwise is looked up: what others
        tell may be older.
        """
        told = changed.chat
        if told.title is not None:
            self._untitled.pop(told.id, None)
        lane = self._registry.lane(owner, told.id)
        if lane is None:
            return changed
        known = lane.chat or told
        if lane.chat is None or known.title != told.title:
            told = told.model_copy(update={"title": known.title})
            self._begin_try(f"title {told.id}", partial(self._look_for_title, owner, told.id))
        return ChatChanged(chat=self._registry.with_state(told))

    async def _look_for_title(self, owner: str, chat_id: str) -> None:
        chat = await self._store.get_chat(chat_id)
        lane = self._registry.lane(owner, chat_id)
        if chat is None or chat.owner != owner:
            return
        if lane is not None:
            lane.change_chat(title=chat.title)
        chat = await self._registry.as_it_is(chat, self._store)
        self._bus.announce(owner, ChatChanged(chat=chat))

    async def _hear_accepted(self, owner: str, accepted: Accepted) -> None:
        reply = accepted.message
        if reply.state not in TERMINAL:
            reply = reply.model_copy(update={"made_elsewhere": True})
        self.stop_if_asked(owner, accepted.request_id, reply.id)
        if not (self._bus.is_attended(owner) or self._bus.is_followed(accepted.chat_id)):
            return
        chat = await self._store.get_chat(accepted.chat_id)
        if chat is not None and chat.owner == owner:
            self.accepted(chat, accepted.model_copy(update={"message": reply}))
            self._watched.list_chat(reply.id)
            self._watched.look_soon(reply.id)  # what was told meanwhile was of no reply

    async def _look_for_titles(self) -> None:
        for chat_id, untitled in list(self._untitled.items()):
            untitled.looks += 1
            chat = await self._store.get_chat(chat_id)
            late = untitled.looks > TITLE_LOOKS
            if chat is None or chat.title is not None or late or not is_looked_at(self._bus, chat):
                del self._untitled[chat_id]
            if chat is not None and chat.title is not None:
                await self._titles.tell(chat)
            elif late:
                self._titles.consider(chat, untitled.reply, busy=True)

    async def _tell_ended(self, message: Message) -> None:
        await self._try(f"ended {message.id}", partial(self._tell_state, message))

    async def _tell_state(self, message: Message) -> None:
        chat = await self._store.get_chat(message.chat_id)
        if chat is None:
            return
        if chat.title is None:
            self._untitled.setdefault(chat.id, _Untitled(chat, message))
        chat = await self._registry.as_it_is(chat, self._store)  # another may have begun and ended
        self._bus.announce(chat.owner, ChatChanged(chat=chat))

    def _tell_deleted(self, chat: Chat) -> None:
        self._titles.abandon(chat.id)
        gone = ChatChanged(chat=chat.model_copy(update={"state": "idle"}), deleted=True)
        self._bus.announce(chat.owner, gone)
        self._bus.publish(chat.id, gone)


def _is_written(generation: Generation) -> bool:
    """Tell whether a generation's message is in the store, and still being made."""
    if not generation.is_accepted:
        return False
    return generation.stop is None and not generation.claimed and not generation.settled.done()
