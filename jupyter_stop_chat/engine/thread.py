"""Where a prompt stands in its chat: which reply it follows."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.objects import TERMINAL, Message
from jupyter_stop_chat.wire.utf16 import utf16_length

from .changes import Bus, MessageMoved
from .generation import Generation
from .lane import Lane


class Places:
    """What finds the places of prompts, and moves those that wait."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus

    async def head(self, lane: Lane) -> str | None:
        """Return the newest reply that was begun and is not taken out."""
        if not lane.head_known:
            head = await self.newest(lane.chat_id)
            if not lane.head_known:  # nothing began meanwhile
                lane.head, lane.head_known = head, True
        return lane.head

    async def newest(self, chat_id: str) -> str | None:
        """Return the same, from what is written down of a chat."""
        return await self._store.newest_reply(chat_id)

    async def last(self, lane: Lane, reply_id: str) -> str | None:
        """Return what a prompt follows for now: the reply before its own in the queue."""
        before = None
        for waiting in lane.waiting:
            if waiting.id == reply_id:
                break
            if waiting.accepted.done() and waiting.stop is None:
                before = waiting.id
        return before or await self.head(lane)

    async def thread(self, generation: Generation, known: bool, head: str | None) -> list[Message]:
        """Return the thread of a reply that begins now, its prompt moved behind the head.

        The one before may have been taken out since it was accepted, or another have gone first.

        :param known: whether the head is known.
        """
        thread = await self._store.get_thread(generation.id)
        if not generation.follows:
            return thread
        if not known:
            head = await self.newest(generation.chat_id)
        if misplaced(thread, head):
            await self.move(generation, head)
            thread = await self._store.get_thread(generation.id)
        return thread

    async def move(self, generation: Generation, reply_to: str | None) -> None:
        """Put the prompt of a reply behind another reply."""
        if generation.prompt is not None and generation.prompt.reply_to != reply_to:
            await self.amend(generation, generation.prompt.text, reply_to)

    async def amend(
        self,
        generation: Generation,
        text: str,
        reply_to: str | None,
        request_id: str | None = None,
    ) -> None:
        """Change the prompt of a reply, and tell of it.

        :param request_id: what asks for that.
        """
        prompt = generation.prompt
        assert prompt is not None
        changed = prompt.model_copy(
            update={"text": text, "text_length": utf16_length(text), "reply_to": reply_to}
        )
        generation.prompt = changed
        asked = (generation.id, request_id) if request_id is not None else None
        await self._store.amend_prompt(prompt.id, text, reply_to, asked)
        self._bus.publish(changed.chat_id, MessageMoved(changed))


def misplaced(thread: Sequence[Message], head: str | None) -> bool:
    """Tell whether a prompt follows another reply than it should.

    One that was stopped while it waited may stand between the head and the prompt.

    :param thread: from the oldest to the reply that is being made.
    """
    between = [message for message in thread[:-1] if message.role == "assistant"]
    ids = [message.id for message in between]
    if head is not None:
        if head not in ids:
            return True
        between = between[ids.index(head) + 1 :]
    return any(message.state not in TERMINAL or message.discarded for message in between)
