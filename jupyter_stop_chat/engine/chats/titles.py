"""Titles: made by the model in the background, when the first turn of a chat has ended.

Also when that turn was stopped (L9). A title always comes: what the model does not give within
its time is made of the prompt's first words (L10).
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, Literal

from jupyter_stop_chat.engine.background import Background
from jupyter_stop_chat.engine.changes import Bus
from jupyter_stop_chat.engine.lane import Lane
from jupyter_stop_chat.engine.limits import TURN_BUDGET
from jupyter_stop_chat.engine.registry import Registry
from jupyter_stop_chat.engine.spending import Spending, usage_of
from jupyter_stop_chat.ports.handler import (
    ChatHandler,
    Reasoning,
    Text,
    TokensUsed,
    ToolStarted,
    Turn,
    TurnMessage,
    WasThought,
)
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.ports.thoughts import without_thought
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.objects import Chat, Message, Usage
from jupyter_stop_chat.wire.server_frames import ChatChanged
from jupyter_stop_chat.wire.usage import tokens, total
from jupyter_stop_chat.wire.utf16 import utf16_length, whole

log = logging.getLogger(__name__)

#: Whether the model makes titles, or the prompt's first words are used.
TitleMode = Literal["model", "prompt"]

INSTRUCTION = (
    "Write a title for the conversation below: at most six words, in its language, on one line, "
    "without quotation marks. Answer with the title alone."
)
#: The longest title, in characters.
LONGEST = 80
#: So much of a prompt and of a reply is enough to tell what they are about, in characters.
EXCERPT = 500
#: What a title may cost, in tokens, where the model's handler takes a limit.
MAX_TOKENS = 24
#: So much may be thought about one, in characters: some models take no limit.
LONGEST_THOUGHT = 2000
#: A stopped model is waited for so long before it is fenced off, in seconds.
UNWIND = 1.5


class Titles:
    """What makes the titles of chats that have none.

    :param mode: `prompt` asks no model.
    :param patience: the most seconds that a model is waited for.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        resolve: Callable[[str, str], Awaitable[tuple[ChatHandler, str]]],
        registry: Registry,
        background: Background,
        spending: Spending,
        mode: TitleMode = "model",
        patience: float = 30.0,
    ) -> None:
        self._store = store
        self._bus = bus
        self._resolve = resolve
        self._registry = registry
        self._background = background
        self._spending = spending
        self._mode = mode
        self._patience = patience
        self._attempts: dict[str, _Attempt] = {}

    def __len__(self) -> int:
        return len(self._attempts)

    def consider(self, chat: Chat | None, reply: Message, *, busy: bool) -> None:
        """Make a title if a chat has none, now that a reply in it has ended.

        :param busy: the chat goes on already; its model has better things to do.
        """
        if chat is None or chat.title is not None or chat.id in self._attempts or reply.discarded:
            return
        # A model that does not even stop is asked for nothing more.
        stuck = reply.stop is not None and reply.stop.provider == "still_finishing"
        attempt = self._attempts[chat.id] = _Attempt(chat.owner)
        if self._mode != "model" or busy or stuck or not reply.text.strip():
            attempt.stop()
        self._background.run(self._make(chat, reply, attempt), "title")

    def name_left_behind(self, reply: Message) -> None:
        """Make a title for the chat of a reply whose process ended, if it has none."""
        self._background.run(self._name_left_behind(reply), "title")

    async def _name_left_behind(self, reply: Message) -> None:
        chat = await self._store.get_chat(reply.chat_id)
        # From the prompt: whether any model can be asked now is not known.
        self.consider(chat, reply, busy=True)

    def yield_to_prompt(self, lane: Lane) -> None:
        """Ask the model no longer: a prompt must not wait for a title."""
        self._stop(lane.chat_id)

    def stop(self, owner: str | None, chat_id: str | None) -> None:
        """Ask the model no longer, in one chat or in all, of an owner or of everyone.

        The prompt's words do.
        """
        for titled_id, attempt in list(self._attempts.items()):
            if owner in (None, attempt.owner) and chat_id in (None, titled_id):
                attempt.stop()

    def abandon(self, chat_id: str) -> None:
        """Make no title any more: a person gave one, or deleted the chat."""
        attempt = self._attempts.get(chat_id)
        if attempt is not None:
            attempt.abandoned = True
            attempt.stop()

    def close(self) -> None:
        """Ask no model any more."""
        self._mode = "prompt"
        for attempt in self._attempts.values():
            attempt.stop()

    def _stop(self, chat_id: str) -> None:
        attempt = self._attempts.get(chat_id)
        if attempt is not None:
            attempt.stop()

    async def _make(self, chat: Chat, reply: Message, attempt: _Attempt) -> None:
        try:
            prompt = await self._store.get_message(reply.reply_to or "")
            if prompt is None:
                return
            title = ""
            if not attempt.stopped.done():
                title = await self._ask(reply, prompt, attempt)
                await self._charge(chat, reply, attempt)
            names = " ".join(each.name for each in prompt.attachments)
            title = title or first_words(prompt.text) or first_words(names)
            kept = await self._store.get_chat(chat.id)
            if attempt.abandoned or kept is None or kept.title is not None:
                return
            if await self._store.set_title(chat.id, title):
                await self.tell(kept.model_copy(update={"title": title}))
        finally:
            del self._attempts[chat.id]

    async def _charge(self, chat: Chat, reply: Message, attempt: _Attempt) -> None:
        """Count what a title cost; it comes also where that cannot be written down."""
        try:
            await self._spending.charge(chat, reply.model or "", attempt.usage())
        except StopChatError as error:
            log.warning("what a title cost is not counted: %s", error.code)

    async def tell(self, chat: Chat) -> None:
        """Tell an owner, and who follows a chat, of its title."""
        chat = await self._registry.as_it_is(chat, self._store)
        lane = self._registry.lane(chat.owner, chat.id)
        if lane is not None:
            lane.change_chat(title=chat.title, spent=chat.spent)
        change = ChatChanged(chat=chat)
        self._bus.announce(chat.owner, change)
        self._bus.publish(chat.id, change)

    async def _ask(self, reply: Message, prompt: Message, attempt: _Attempt) -> str:
        """Ask the model, for a limited time; it may end badly or not at all."""
        read = asyncio.create_task(
            self._read(reply, prompt, attempt), name="stop-chat title model"
        )
        try:
            either: set[asyncio.Future[Any]] = {read, attempt.stopped}
            await asyncio.wait(
                either,
                timeout=self._patience,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            if not read.done():
                attempt.stop()
                read.cancel()
        await asyncio.wait({read}, timeout=UNWIND)
        if not read.done():
            self._background.fence_off(read)
            return ""
        if read.cancelled():
            return ""
        error = read.exception()
        if error is not None:
            log.info("a model made no title: %s", type(error).__name__)
            return ""
        return read.result()

    async def _read(self, reply: Message, prompt: Message, attempt: _Attempt) -> str:
        try:
            handler, name = await self._resolve(reply.model or "", attempt.owner)
            if not getattr(handler, "makes_titles", True):
                return ""
            asked = request(prompt.text, reply.text)
            attempt.asked = utf16_length(asked)
            turn = Turn(
                chat_id=reply.chat_id,
                message_id=str(uuid.uuid4()),
                messages=[TurnMessage("user", asked)],
                model=name,
                parameters={"max_tokens": MAX_TOKENS},
                _stopped=attempt.stopped.done,
            )
            text, thought = "", 0
            loop = asyncio.get_running_loop()
            yielded = loop.time()
            async with aclosing(handler.reply(turn)) as events:
                async for event in events:
                    if isinstance(event, ToolStarted):
                        return ""  # nobody asked it to do anything
                    if isinstance(event, Text):
                        text += event.text
                    if isinstance(event, Reasoning):
                        thought += len(event.text)
                    if isinstance(event, TokensUsed):
                        attempt.used = total(attempt.used, usage_of(event))
                    attempt.made = len(text) + thought
                    if isinstance(event, WasThought):
                        text, thought = "", thought + len(text)
                    # What follows the first lines, or never ends, is no title.
                    done = "\n" in text.lstrip() and clean(text.rpartition("\n")[0])
                    if done or len(text) > 2 * LONGEST or thought > LONGEST_THOUGHT:
                        break
                    if loop.time() - yielded > TURN_BUDGET:
                        await asyncio.sleep(0)
                        yielded = loop.time()
                    if attempt.stopped.done():
                        return ""
            return clean(text)
        except SystemExit as error:
            raise RuntimeError("SystemExit") from error


class _Attempt:
    """The asking for one title, until it is there or given up."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.abandoned = False
        self.used: Usage | None = None
        #: The length of what was asked and of what was answered, for an estimate.
        self.asked = self.made = 0
        self.stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(self) -> None:
        """Ask the model no longer."""
        if not self.stopped.done():
            self.stopped.set_result(None)

    def usage(self) -> Usage | None:
        """Return what was used, estimated where the provider did not count."""
        used = self.used or Usage()
        read, made = used.input_tokens, used.output_tokens
        if (made is None and not self.made) or (read is not None and made is not None):
            return self.used
        told = {
            "input_tokens": tokens(self.asked) if read is None else read,
            "output_tokens": tokens(self.made) if made is None else made,
        }
        return used.model_copy(update={**told, "estimated": True})


def request(prompt: str, reply: str) -> str:
    """Write what a model is asked."""
    return f"{INSTRUCTION}\n\nUser: {_excerpt(prompt)}\n\nAssistant: {_excerpt(reply)}"


def clean(text: str) -> str:
    """Take a title out of a model's answer; empty if there is none."""
    titles = (_plain(line) for line in without_thought(whole(text)).splitlines())
    return _shortened(next((title for title in titles if title), ""))


def _plain(line: str) -> str:
    """Take Markdown, quotation marks and small talk off a line; empty if nothing else is in it."""
    line = _TAG.sub("", _LINK.sub(r"\1", line[:_LONGEST_LINE]))
    for pattern in (_JSON, _BOX):
        if found := pattern.search(line):
            line = found[1]
    before = None
    while before != line:
        before = line
        line = _unquoted(_MARK.sub("", line.strip()))
        for pattern in (_SMALL_TALK, _LABEL):
            if found := pattern.match(line):
                line = line[found.end() :]
        if found := _NAMED.fullmatch(line):
            line = found[1]
    line = " ".join(re.sub(r"\*\*|`", "", line).split())
    nothing = _ALONE.fullmatch(line) or line.endswith((":", "：")) or not _WORD.search(line)
    return "" if nothing or "<|" in line else line


def _unquoted(line: str) -> str:
    """Take quotation marks off that are around the whole line, or belong to none in it."""
    inner = _EMPHASIS.sub(r"\1", line.strip(_AROUND))
    # Where marks are left inside, those at an end are theirs.
    return line if _QUOTES.intersection(inner) else inner


#: So much of a line is looked at, in characters.
_LONGEST_LINE = 300
_QUOTES = set('"“”„‟«»‹›「」『』《》〈〉')
_AROUND = " \t*`~'‘’‚" + "".join(sorted(_QUOTES))
_TAG = re.compile(r"</?(?:b|i|em|strong|title|h[1-6]|p|answer|output)>", re.IGNORECASE)
_EMPHASIS = re.compile(r"^_{1,3}([^_]+)_{1,3}$")
_BOX = re.compile(r"\\boxed\{(?:\\text\{)?([^{}]+)\}")
_JSON = re.compile(r'^\s*\{\s*"(?:title|name)"\s*:\s*"([^"]+)"')
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
#: What begins a heading, a quote, or an item of a list.
_MARK = re.compile(r"^(?:#+\s+|>\s*|[-*+•]\s+|\d{1,2}[.)]\s+|~~~+\w*|```+\w*|#+(?=\D))+|[#~]+$")
_WORD = re.compile(r"\w")
_TITLE = (
    r"(?:title|titel|titre|t[ií]tulo|titolo|tytuł|заголовок|название|başlık|judul|"
    r"标题|標題|タイトル|제목)"
)
_LABEL = re.compile(
    rf"(?:(?:the|chat|conversation|suggested|short|possible)\W+)*{_TITLE}[*_`\s]*[:：][*_`\s]*|"
    r"(?:assistant|ai|option (?:\d|a|b))[*_`\s]*[:：][*_`\s]*",
    re.IGNORECASE,
)
_SMALL_TALK = re.compile(
    r"(?:sure|certainly|of course|absolutely|okay|ok|gladly|happy to)[!,.][^:：\n]*[:：]|"
    r"(?:here(?:['’]s| is| are)|i(?:['’]d| would)? suggest|how about)\b[^:：\n]*[:：]|"
    rf"(?:[^:：\n]*\s)?(?:a|the|my|one|ein|un|une|um)\b[^:：\n]*\b{_TITLE}\b"
    r"(?: (?:is|would be|could be|might be|for [^:：\n]*|für [^:：\n]*|pour [^:：\n]*))*\s?[:：]|"
    rf"[^:：\n]*[!！][^:：\n]*{_TITLE}\s?[:：]",
    re.IGNORECASE,
)
#: "The title is: X" is small talk without its colon as well, where X is quoted.
_NAMED = re.compile(
    rf"(?:[^\n]*\b(?:{_TITLE})\s+(?:is|would be|could be)|i(?:['’]d| would)? suggest)\s*[:：]?\s*"
    r"[\"“„«]([^\"”“»]+)[\"”“»]\.?",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"(?:sure|certainly|of course|absolutely|okay|ok|gladly|"
    r"here (?:you go|it is|are some options))(?: thing)?[\s!.,…:]*|"
    r"(?:i['’]m |i am )?(?:sorry|unable)\b.*|i (?:can['’]?t|cannot)\b.*",
    re.IGNORECASE,
)


def first_words(prompt: str) -> str:
    """Make a title of a prompt's first words."""
    return _shortened(" ".join(prompt.split()))


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    start = text[: LONGEST - 1]
    return (start.rsplit(" ", 1)[0] if " " in start else start) + "…"


def _excerpt(text: str) -> str:
    text = text.strip()
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"
