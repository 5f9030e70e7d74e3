"""The thread of a reply: which reply its prompt follows, and what a model is told of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from jupyter_stop_chat.engine.changes import Bus, MessageMoved
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.engine.lane import Lane
from jupyter_stop_chat.engine.tools.telling import as_text, with_calls
from jupyter_stop_chat.ports.fences import fenced
from jupyter_stop_chat.ports.handler import TurnMessage
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.ports.thoughts import without_thought
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.wire.objects import TERMINAL, Attachment, Message, Mode
from jupyter_stop_chat.wire.utf16 import utf16_length

from .pictures import Shown

#: What would open a fence at the beginning of a line, and what would end a picture's name.
_FENCE = re.compile(r"^(?:`{3,}|~{3,})")
_NO_BRACKETS = str.maketrans("[]", "()")


class Threads:
    """What finds which replies prompts follow, and moves the prompts that wait."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus

    async def newest_reply(self, lane: Lane) -> str | None:
        """Return the newest reply that was begun and is not discarded."""
        if not lane.newest_known:
            newest = await self.newest_written(lane.chat_id)
            if not lane.newest_known:  # nothing began meanwhile
                lane.newest_reply, lane.newest_known = newest, True
        return lane.newest_reply

    async def newest_written(self, chat_id: str) -> str | None:
        """Return the same, from what is written down of a chat."""
        return await self._store.newest_reply(chat_id)

    async def reply_before(self, lane: Lane, reply_id: str) -> str | None:
        """Return what a prompt follows for now: the reply before its own in the queue."""
        before = None
        for waiting in lane.waiting:
            if waiting.id == reply_id:
                break
            if waiting.accepted.done() and waiting.stop is None:
                before = waiting.id
        return before or await self.newest_reply(lane)

    async def read(self, generation: Generation, known: bool, newest: str | None) -> list[Message]:
        """Return the thread of a reply that begins now, its prompt moved behind the newest reply.

        The one before may have been discarded since it was accepted, or another have gone first.

        :param known: whether the newest reply is known.
        """
        async with generation.amending:
            thread = await self._store.get_thread(generation.id)
            if not generation.follows:
                return thread
            if not known:
                newest = await self.newest_written(generation.chat_id)
            if follows_another(thread, newest):
                await self.move(generation, newest)
                thread = await self._store.get_thread(generation.id)
            return thread

    async def move(self, generation: Generation, reply_to: str | None) -> None:
        """Put the prompt of a reply behind another reply, while its `amending` is held."""
        if generation.prompt is not None and generation.prompt.reply_to != reply_to:
            await self.amend(generation, generation.prompt.text, reply_to)

    async def amend(
        self,
        generation: Generation,
        text: str,
        reply_to: str | None,
        request_id: str | None = None,
        attachments: tuple[Attachment, ...] | None = None,
        mode: Mode | None = None,
    ) -> None:
        """Change the prompt of a reply, and tell of it once that is written.

        Its `amending` is held meanwhile, so that no two changes are made of the same prompt.

        :param request_id: what asks for that.
        :param attachments: what goes with it from now on; None: what went with it before.
        :param mode: that of both from now on; None: as before.
        """
        prompt = generation.prompt
        assert prompt is not None
        changes = {"text": text, "text_length": utf16_length(text), "reply_to": reply_to}
        if attachments is not None:
            changes["attachments"] = attachments
        if mode is not None:
            changes["mode"] = mode
        changed = prompt.model_copy(update=changes)
        asked = (generation.id, request_id) if request_id is not None else None
        try:
            await self._store.amend_prompt(prompt.id, text, reply_to, asked, attachments, mode)
        except asyncio.CancelledError:
            _adopt(generation, changed)  # it is written all the same
            raise
        _adopt(generation, changed)
        self._bus.publish(changed.chat_id, MessageMoved(changed))


def _adopt(generation: Generation, prompt: Message) -> None:
    generation.prompt = prompt
    if prompt.mode != generation.message.mode:
        changed = {"mode": prompt.mode}
        generation.message = generation.message.model_copy(update=changed)


def follows_another(thread: Sequence[Message], newest: str | None) -> bool:
    """Tell whether a prompt follows another reply than it should.

    One that was stopped while it waited may stand between the newest reply and the prompt.

    :param thread: from the oldest to the reply that is being made.
    """
    between = [message for message in thread[:-1] if message.role == "assistant"]
    ids = [message.id for message in between]
    if newest is not None:
        if newest not in ids:
            return True
        between = between[ids.index(newest) + 1 :]
    return any(message.state not in TERMINAL or message.discarded for message in between)


def turn_messages(
    thread: Sequence[Message],
    shown: Shown | None = None,
    calls: Mapping[str, Sequence[Told]] = MappingProxyType({}),
    *,
    with_tools: bool = False,
) -> list[TurnMessage]:
    """Turn a thread into a history that is valid for every provider, and ends with the prompt.

    Roles alternate and nothing is empty: providers refuse an empty assistant message. A turn
    that was stopped or failed before its first word is left out whole, so is one that was
    discarded; the person has its prompt back and will have sent what they meant.

    :param thread: messages along `reply_to`, oldest first; the last one may be the reply that
        is being made.
    :param shown: the pictures that go with it.
    :param calls: the tool calls of replies, by their ids.
    :param with_tools: the model has tools, and is told calls as such; else as text.
    """
    messages = list(thread)
    if messages and messages[-1].role == "assistant":
        messages.pop()
    told: list[Message] = []
    for position, message in enumerate(messages):
        reply = messages[position + 1] if position + 1 < len(messages) else None
        if message.role == "user" and reply is not None and not _worth_telling(reply, calls):
            continue
        if message.role == "assistant" and not _worth_telling(message, calls):
            continue
        told.append(message)
    history: list[TurnMessage] = []
    for message, again in zip(told, _repeated(told), strict=True):
        made: tuple[Told, ...] = ()
        if message.role == "user":
            text = prompt_text(message, again)
        elif its := calls.get(message.id):
            text, made = with_calls(message, its)
            text, made = (text, made) if with_tools else (as_text(text, made), ())
        else:
            text = _answer(message)
        told_now = TurnMessage(
            message.role, text, message.id, tuple((shown or {}).get(message.id, ())), made
        )
        if history and history[-1].role == message.role:
            told_now = _joined(history.pop(), told_now)
        history.append(told_now)
    while history and history[0].role == "assistant":
        history.pop(0)
    return history


def _joined(first: TurnMessage, second: TurnMessage) -> TurnMessage:
    """Put two messages of one role together."""
    before = f"{first.text}\n\n"
    length = utf16_length(before)
    steps = max((each.step for each in first.calls), default=0)
    later = (replace(each, at=each.at + length, step=each.step + steps) for each in second.calls)
    return replace(
        first,
        text=before + second.text,
        pictures=(*first.pictures, *second.pictures),
        calls=(*first.calls, *later),
    )


def asked_text(thread: Sequence[Message]) -> str | None:
    """Return what the model reads last of a thread: the prompt of its last reply, with all of it.

    :param thread: as for `turn_messages`.
    """
    history = turn_messages(thread)
    return history[-1].text if history and history[-1].role == "user" else None


def prompt_text(message: Message, again: frozenset[int] = frozenset()) -> str:
    """Return a prompt with its attachments, as the model reads it; pictures by their names.

    :param again: the places of those that are told by their names: a later prompt has them too.
    """
    parts = [message.text] if message.text.strip() else []
    for at, attachment in enumerate(message.attachments):
        if attachment.blob is not None:
            parts.append(f"[Picture: {_called(attachment).translate(_NO_BRACKETS)}]")
        elif at in again:
            parts.append(f"{_called(attachment)}: the same as below.")
        else:
            parts.append(f"{_called(attachment)}:\n{fenced(attachment.text)}")
    return "\n\n".join(parts)


def _called(attachment: Attachment) -> str:
    """Return an attachment's name as one line, which opens no fence: files may have any name."""
    return _FENCE.sub("'''", " ".join(attachment.name.split()))


def _repeated(messages: Sequence[Message]) -> list[frozenset[int]]:
    """Return, for each message, the places of contexts that a later one has word for word.

    The last one is told whole, as the oldest messages are left out first where all are too long.
    """
    later: set[Attachment] = set()
    repeated: list[frozenset[int]] = []
    for message in reversed(messages):
        here = {at: each for at, each in enumerate(message.attachments) if each.kind == "context"}
        repeated.append(frozenset(at for at, each in here.items() if each in later))
        later.update(here.values())
    return repeated[::-1]


def _answer(message: Message) -> str:
    """Return a reply without a thought that was kept in it: older and imported ones have some."""
    return without_thought(message.text).rstrip()


def _worth_telling(reply: Message, calls: Mapping[str, Sequence[Told]]) -> bool:
    if reply.role == "user":
        return True
    # Where a call was made, something may have happened: also where nothing was said.
    return bool(calls.get(reply.id) or _answer(reply)) and not reply.discarded
