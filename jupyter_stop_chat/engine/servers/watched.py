"""The replies of other processes that somebody here looks at, and how they grow."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Container, Iterable, Sequence

from jupyter_stop_chat.engine.background import Background
from jupyter_stop_chat.engine.changes import Bus, MessageMoved
from jupyter_stop_chat.engine.registry import Registry
from jupyter_stop_chat.ports.peers import MoreText, Moved
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Chat, Message
from jupyter_stop_chat.wire.server_frames import Accepted, Thought
from jupyter_stop_chat.wire.utf16 import same_length, utf16_length, utf16_slice

from .watched_reply import WatchedReply

#: After a look at what others told of, the next one waits so long, in seconds.
PAUSE_SECONDS = 0.1
#: Of a text that grew by more the followers are told how long it is, and ask for it.
MOST_TEXT = 128 * 1024
#: Of so many requests it is remembered that they were told of.
MOST_KNOWN = 10_000


class WatchedReplies:
    """The replies of other processes that somebody here looks at.

    :param ended: told of one that ended.
    :param deleted: told of a chat that is gone.
    """

    def __init__(
        self,
        registry: Registry,
        store: Store,
        bus: Bus,
        background: Background,
        ended: Callable[[Message], Awaitable[None]],
        deleted: Callable[[Chat], None],
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._background = background
        self._ended = ended
        self._deleted = deleted
        self._watched: dict[str, WatchedReply] = {}
        #: The requests that all know of who follow their chats, with their replies: what is read
        #: late may say once more that one is made.
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        #: What others told of that is to be looked at, and what will do so.
        self._due: set[str] = set()
        self._soon: asyncio.TimerHandle | None = None
        self._looked_at_due = -math.inf
        self._closed = False

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._watched)

    def add(self, chat: Chat, messages: Iterable[Message]) -> None:
        """Tell a chat's followers from now on what becomes of the replies that others make."""
        known = {message.id: message for message in messages}
        for message in known.values():
            if message.made_elsewhere:
                watched = self._watch(chat, message)
                watched.prompt = watched.prompt or known.get(message.reply_to or "")

    def _watch(self, chat: Chat, message: Message) -> WatchedReply:
        watched = self._watched.get(message.id)
        # One that came earlier knows less, and what is told goes on from there.
        if watched is None:
            watched = self._watched[message.id] = WatchedReply(chat, message)
            # Some of its text may have become reasoning before anybody here looked.
            self._registry.rethought.add(message)
        return watched

    def add_opened(self, chat: Chat, messages: Sequence[Message], told: Container[str]) -> None:
        """Do the same for a page that was given a chat's list.

        :param told: of what something was told while it was read. Which is newer nobody knows: it
            is looked at, and told of as it is then.
        """
        others = [each for each in messages if each.made_elsewhere or each.id in told]
        if not others:  # as mostly: a list may be long
            return
        self.add(chat, messages)
        prompts = {message.id: message for message in messages}
        for message in others:
            if message.id in told:
                self._watch(chat, message).in_doubt = True
                self.look_soon(message.id)
            watched = self._watched.get(message.id)
            if watched is None:
                continue
            if message.made_elsewhere:
                self._compare(watched, message)
            if watched.told:
                continue
            watched.told = True
            prompt = prompts.get(message.reply_to or "")
            if prompt and message.request_id:
                is_alone = self._bus.followers(chat.id) <= 1
                self._tell_accepted(_accepted(prompt, watched.message), tell=not is_alone)

    def _compare(self, watched: WatchedReply, listed: Message) -> None:
        """Note what a page was given that others know otherwise: all are told of it."""
        known = watched.message
        sure = min(known.text_length, listed.text_length)
        if (known.reasoning or "") != (listed.reasoning or ""):
            sure = 0
        if sure < known.text_length:
            watched.in_doubt, watched.sure = True, min(watched.sure, sure)
            self.look_soon(listed.id)

    def add_accepted(self, chat: Chat, accepted: Accepted) -> None:
        """Do the same of a reply that is new, and tell of it, unless they know it."""
        self.add(chat, [accepted.user_message, accepted.message])
        watched = self._watched.get(accepted.message.id)
        if watched is None or not watched.told:
            message = accepted.message if watched is None else watched.message
            self._tell_accepted(accepted.model_copy(update={"message": message}))
        if watched is not None:
            watched.told = True

    def _tell_accepted(self, accepted: Accepted, *, tell: bool = True) -> None:
        """Tell all who follow a chat of a request, unless they know it."""
        key = accepted.message.id, accepted.request_id
        is_known = key in self._known
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        if tell and not is_known:
            self._bus.tell(accepted.chat_id, accepted)

    def newest(self, messages: Sequence[Message]) -> list[Message]:
        """Return messages with the text that was told of them while they were read."""
        if not self._watched:
            return list(messages)
        return [self._newest(message) for message in messages]

    def _newest(self, read: Message) -> Message:
        watched = self._watched.get(read.id)
        if watched is None or not read.made_elsewhere:
            return read
        told = watched.message
        thought = len(told.reasoning or "") - len(read.reasoning or "")
        if thought < 0 or (thought == 0 and told.text_length <= read.text_length):
            return read  # what was told is older
        text, begin = read.text, read.text_length - told.text_offset
        if thought:  # some of what was read may have been a thought
            text, begin = "", -told.text_offset
        if begin < 0:
            return read
        text += utf16_slice(told.text, begin, told.text_length - told.text_offset)
        known = {"text_length": told.text_length, "reasoning": told.reasoning}
        return read.model_copy(update={"text": text, **known})

    def unsure(self, messages: Sequence[Message]) -> set[str]:
        """Return those of messages whose text may begin otherwise than was told here."""
        found: set[str] = set()
        for read in messages if self._watched else ():
            told = watched.message if (watched := self._watched.get(read.id)) else None
            if told is not None and not (
                read.made_elsewhere
                and (told.reasoning or "") == (read.reasoning or "")
                and told.request_id == read.request_id
            ):
                found.add(read.id)
        return found

    def list_chat(self, message_id: str) -> None:
        """Note that the chat of a reply is in a list that its owner was given."""
        if (watched := self._watched.get(message_id)) is not None:
            watched.listed = True

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    # --- what others tell --------------------------------------------------------------------

    def hear_text(self, news: MoreText) -> None:
        """Hear how a text goes on; one that does not go on from what is known is looked at."""
        watched = self._watched.get(news.message_id)
        if watched is None:
            return
        known = watched.message
        if news.offset != known.text_length or watched.sure < known.text_length:
            if news.offset + utf16_length(news.text) > known.text_length:
                self.look_soon(news.message_id)  # what came before did not arrive
            return
        more = {"text": news.text, "text_offset": news.offset}
        grown = known.model_copy(
            update={
                "text": known.text + news.text,
                "text_length": known.text_length + utf16_length(news.text),
            }
        )
        watched.message = grown
        told = grown.model_copy(update={**more, "reasoning": None})
        self._bus.tell(news.chat_id, MessageMoved(told, carries_text=True))

    def hear_moved(self, news: Moved) -> None:
        """Hear that something else of a chat changed: that is looked at."""
        for message_id, watched in self._watched.items():
            prompt_id = watched.prompt.id if watched.prompt is not None else None
            meant = news.message_id in (None, message_id, prompt_id)
            if meant and watched.chat.id == news.chat_id:
                self.look_soon(message_id)

    def look_at_all_soon(self) -> None:
        """Look at all of them soon."""
        self.look_soon(*self._watched)

    def look_soon(self, *message_ids: str) -> None:
        """Look at what others told of, not more often than need be."""
        self._due.update(message_ids)
        if self._soon is None and self._due and not self._closed:
            loop = asyncio.get_running_loop()
            wait = max(0.0, self._looked_at_due + PAUSE_SECONDS - loop.time())
            self._soon = loop.call_later(wait, self._begin_due)

    def _begin_due(self) -> None:
        due, self._due = self._due, set()
        self._soon = None
        self._looked_at_due = asyncio.get_running_loop().time()
        self._background.run(self._look_at(due), "elsewhere")

    async def _look_at(self, message_ids: Iterable[str]) -> None:
        for message_id in message_ids:
            if (watched := self._watched.get(message_id)) is not None:
                try:
                    await self._look_at_one(message_id, watched)
                except StopChatError:
                    return  # it is looked at again

    # --- looking -----------------------------------------------------------------------------

    async def look(self) -> None:
        """Look at all once, and forget those that nobody here looks at any more."""
        for message_id, watched in list(self._watched.items()):
            if not is_looked_at(self._bus, watched.chat, watched.listed):
                del self._watched[message_id]
                # Some of its text may become reasoning while nobody here looks.
                self._registry.rethought.add(watched.message)
        chats = {watched.chat.id: watched.chat for watched in self._watched.values()}
        for chat in chats.values():
            if self._bus.is_followed(chat.id):
                await self.look_for_new(chat)
        if self._watched:
            # What its process left behind when it ended becomes interrupted here. What it had not
            # told of is told of by now.
            await self._store.recover()
        for message_id, watched in list(self._watched.items()):
            await self._look_at_one(message_id, watched)

    async def look_for_missed(self) -> None:
        """Look for replies that others make in any chat that is followed here."""
        made = await self._store.made_elsewhere(None)
        missed = {chat_id for each, chat_id in made.items() if not self._is_told(each)}
        for chat_id in missed:
            if self._bus.is_followed(chat_id):
                chat = await self._store.get_chat(chat_id)
                if chat is not None:
                    await self.look_for_new(chat)

    def _is_told(self, message_id: str) -> bool:
        watched = self._watched.get(message_id)
        return watched is not None and watched.told

    async def look_for_new(self, chat: Chat) -> None:
        """Tell a chat's followers of replies that were asked for elsewhere meanwhile."""
        for message_id in await self._store.made_elsewhere(chat.owner, chat.id):
            if self._is_told(message_id):
                continue
            reply = await self._store.get_message(message_id)
            if reply is None or not reply.made_elsewhere or reply.request_id is None:
                continue
            prompt = await self._store.get_message(reply.reply_to or "")
            if prompt is not None:
                self.add_accepted(chat, _accepted(prompt, reply))

    async def tell_left_behind(self, reply: Message) -> None:
        """Tell a chat's followers of a reply that has ended, unless they know it."""
        prompt = await self._store.get_message(reply.reply_to or "")
        if prompt is not None and reply.request_id:
            self._tell_accepted(_accepted(prompt, reply))

    async def _look_at_prompt(self, watched: WatchedReply) -> None:
        """Look at a prompt that waits: it may have been changed, or follow another reply."""
        prompt = await self._store.get_message(watched.message.reply_to or "")
        known, watched.prompt = watched.prompt, prompt
        if prompt is not None and known is not None and prompt != known:
            self._bus.tell(prompt.chat_id, MessageMoved(prompt))

    async def _look_at_one(self, message_id: str, watched: WatchedReply) -> None:
        if not watched.prompt_is_final and self._bus.is_followed(watched.chat.id):
            is_final = not watched.waits
            await self._look_at_prompt(watched)
            watched.prompt_is_final = is_final
        before = watched.message
        message = await self._store.get_message(message_id)
        if message is not None and message.made_elsewhere and watched.message is not before:
            return self.look_soon(message_id)  # more was told meanwhile: this is old
        is_deleted = message is None and await self._store.get_chat(watched.chat.id) is None
        if self._watched.get(message_id) is not watched:
            return None  # its end was told meanwhile, and it may be watched anew
        if message is None or not message.made_elsewhere:
            del self._watched[message_id]
        if message is not None:
            await self._tell_grown(watched, message)
        elif is_deleted:
            self._deleted(watched.chat)
        return None

    async def _tell_grown(self, watched: WatchedReply, message: Message) -> None:
        known = watched.message
        thought = message.reasoning != known.reasoning
        grew = thought or message.text_length != known.text_length
        if message.text_length < known.text_length:  # cut where it was stopped, or as below
            self._registry.rethought.add(message)
        in_doubt, watched.in_doubt = watched.in_doubt, False
        if not in_doubt and not grew and _without_text(message) == _without_text(known):
            return
        if message.state not in TERMINAL and not message.made_elsewhere:
            return  # it is gone on with here, and told of as all that is made here
        watched.message = message
        start = int(min(known.text_length, message.text_length, watched.sure))
        watched.sure = math.inf
        if thought and not message.text.startswith(known.text):
            # What stood there was a thought.
            start = same_length(message.text, known.text)
            self._registry.rethought.add(message)
            self._bus.tell(message.chat_id, Thought(message_id=message.id, text_length=start))
        text = utf16_slice(message.text, start, message.text_length)
        if len(text) > MOST_TEXT:
            start, text = message.text_length, ""
        # Where nothing is said of it, what a page has of the reasoning stays. At the end all is
        # said: a page that came back with text that had become a thought may have it twice.
        says_all = thought or in_doubt or message.state in TERMINAL
        reasoning = (message.reasoning or "") if says_all else None
        news = {"text": text, "text_offset": start, "reasoning": reasoning}
        moved = MessageMoved(message.model_copy(update=news), carries_text=True)
        self._bus.tell(message.chat_id, moved)
        if message.state in TERMINAL:
            await self._ended(message)


def is_looked_at(bus: Bus, chat: Chat, listed: bool = True) -> bool:
    """Tell whether anybody here looks at a chat.

    :param listed: it is in a list that its owner was given.
    """
    attended = listed and bus.is_attended(chat.owner)
    return attended or bus.is_followed(chat.id)


def _accepted(prompt: Message, reply: Message) -> Accepted:
    return Accepted(
        request_id=reply.request_id or "",
        chat_id=reply.chat_id,
        user_message=prompt,
        message=reply,
    )


def _without_text(message: Message) -> Message:
    none = {"text": "", "text_offset": 0, "text_length": 0, "reasoning": None}
    return message.model_copy(update=none)
