"""The thread of a reply: which reply its prompt follows, and what a model is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from jupyter_stop_chat.ports.handler import TurnMessage
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.ports.thoughts import without_thought
from jupyter_stop_chat.wire.objects import TERMINAL, Attachment, Message
from jupyter_stop_chat.wire.utf16 import utf16_length

from .changes import Bus, MessageMoved
from .generation import Generation
from .lane import Lane


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
    ) -> None:
        """Change the prompt of a reply, and tell of it once that is written.

        Its `amending` is held meanwhile, so that no two changes are made of the same prompt.

        :param request_id: what asks for that.
        :param attachments: what goes with it from now on; None: what went with it before.
        """
        prompt = generation.prompt
        assert prompt is not None
        changes = {"text": text, "text_length": utf16_length(text), "reply_to": reply_to}
        if attachments is not None:
            changes["attachments"] = attachments
        changed = prompt.model_copy(update=changes)
        asked = (generation.id, request_id) if request_id is not None else None
        try:
            await self._store.amend_prompt(prompt.id, text, reply_to, asked, attachments)
        except asyncio.CancelledError:
            generation.prompt = changed  # it is written all the same
            raise
        generation.prompt = changed
        self._bus.publish(changed.chat_id, MessageMoved(changed))


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


def turn_messages(thread: Sequence[Message]) -> list[TurnMessage]:
    """Turn a thread into a history that is valid for every provider, and ends with the prompt.

    Roles alternate and nothing is empty: providers refuse an empty assistant message. A turn
    that was stopped or failed before its first word is left out whole, so is one that was
    discarded; the person has its prompt back and will have sent what they meant.

    :param thread: messages along `reply_to`, oldest first; the last one may be the reply that
        is being made.
    """
    messages = list(thread)
    if messages and messages[-1].role == "assistant":
        messages.pop()
    told: list[Message] = []
    for position, message in enumerate(messages):
        reply = messages[position + 1] if position + 1 < len(messages) else None
        if message.role == "user" and reply is not None and not _worth_telling(reply):
            continue
        if message.role == "assistant" and not _worth_telling(message):
            continue
        told.append(message)
    history: list[TurnMessage] = []
    for message in told:
        text = _answer(message) if message.role == "assistant" else prompt_text(message)
        if history and history[-1].role == message.role:
            before = history.pop()
            history.append(TurnMessage(message.role, f"{before.text}\n\n{text}", before.id))
        else:
            history.append(TurnMessage(message.role, text, message.id))
    while history and history[0].role == "assistant":
        history.pop(0)
    return history


def prompt_text(message: Message) -> str:
    """Return a prompt with its attachments, as the model reads it."""
    parts = [message.text]
    for attachment in message.attachments:
        fence = "```"
        while fence in attachment.text:
            fence += "`"
        parts.append(f"{attachment.name}:\n{fence}\n{attachment.text}\n{fence}")
    return "\n\n".join(parts)


def _answer(message: Message) -> str:
    """Return a reply without a thought that was kept in it: older and imported ones have some."""
    return without_thought(message.text).rstrip()


def _worth_telling(reply: Message) -> bool:
    if reply.role == "user":
        return True
    return bool(_answer(reply)) and not reply.discarded
