"""What a reply changed in documents: told to its owner's pages, which take it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from jupyter_stop_chat.engine.changes import Bus, MessageMoved
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.ports.tools import ChangeState, Noted
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Message

#: What became of one change: the document is as before it (or after it, where it is done again),
#: what others changed since and that are both in it, or it was left alone.
UndoOutcome = Literal["put_back", "merged", "left"]


class Undo:
    """What tells what replies changed, and notes what was taken back of that.

    :param message: returns an owner's message of a role, or raises `unknown_message`.
    """

    def __init__(
        self, store: Store, bus: Bus, message: Callable[[str, str, str], Awaitable[Message]]
    ) -> None:
        self._store = store
        self._bus = bus
        self._message = message

    async def changes(self, owner: str, message_id: str) -> list[Noted]:
        """Return what an owner's reply changed, in order; what ran cannot be taken back.

        :raises StopChatError: `unknown_message`.
        """
        await self._message(owner, message_id, "assistant")
        noted = await self._store.journal.changes(message_id)
        return [each for each in noted if each.change.action != "run"]

    async def note(
        self, owner: str, message_id: str, outcomes: Mapping[int, UndoOutcome], *, undone: bool
    ) -> Message:
        """Note what became of changes that were taken back, or done again; tell the chat's pages.

        Noted twice, it counts once.

        :param outcomes: by the numbers of the changes; what is none counts for nothing.
        :param undone: they were taken back, else done again.
        :raises StopChatError: `unknown_message`, or `not_possible_now` while it is being made.
        """
        message = await self._message(owner, message_id, "assistant")
        if message.state not in TERMINAL:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "it may still change more")
        known = {each.n: each for each in await self._store.journal.changes(message_id)}
        new: ChangeState = "undone" if undone else "done"
        states: dict[int, ChangeState] = {
            n: new
            for n, outcome in outcomes.items()
            # What was never made is not done by being found as it was.
            if outcome != "left" and n in known and known[n].state not in ("failed", new)
            if known[n].change.action != "run"
        }
        if states:
            await self._store.journal.mark(message_id, states)
            message = await self._message(owner, message_id, "assistant")
            moved = MessageMoved(message, retold=True, owner=owner)
            self._bus.publish(message.chat_id, moved)
        return message
