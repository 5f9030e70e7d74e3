"""What a chat handler made that is not committed yet: text, thoughts, and tool calls as shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from jupyter_stop_chat.ports.handler import WasThought
from jupyter_stop_chat.ports.store import Part
from jupyter_stop_chat.threads import Then
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import ToolCall
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice, whole

#: So much text may wait for its commit before the model's stream is held back, in code units.
PENDING_LIMIT = 64 * 1024
#: What is shown of a tool's arguments and of its result, in code units.
TOOL_LIMIT = 16 * 1024
#: A part of the message with its text, a tool call, or that the end of the text was a thought.
Entry = tuple[Part, str] | ToolCall | WasThought


class Pending:
    """What waits for its commit in one message: it is committed in order, and then shown.

    What comes during a commit waits for its end, texts as one; and so does what comes sooner after
    a text than anybody sees a step of it.

    :param commit: commits an entry, and calls what it is given then.
    :param show: shows an entry that is committed.
    :param cut_off: tells whether the text ends where it is.
    :param interval: how long after a text the next one is committed, in seconds.
    :ivar error: why entries can be committed no more.
    """

    def __init__(
        self,
        commit: Callable[[Entry, Then], None],
        show: Callable[[Entry], None],
        cut_off: Callable[[], bool],
        interval: float = 0.0,
    ) -> None:
        self.error: BaseException | None = None
        self._commit = commit
        self._show = show
        self._cut_off = cut_off
        self._interval = interval
        self._loop = asyncio.get_running_loop()
        #: When the next text may be committed, by the loop's clock; and what waits for that.
        self._next_text = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ending = False
        self._entries: list[Entry] = []
        self._length = 0
        self._room = asyncio.Event()
        self._room.set()
        self._committing = False
        #: Set when nothing is committed any more, and when nothing of it matters any more.
        self._idle: asyncio.Future[None] | None = None
        self._cut: asyncio.Future[None] = self._loop.create_future()

    def append(self, entry: Entry) -> None:
        """Add an entry at the end; text goes to the text of the same part that is there."""
        if self.error is not None:
            return
        last = self._entries[-1] if self._entries else None
        if isinstance(entry, tuple) and isinstance(last, tuple) and last[0] == entry[0]:
            self._entries[-1] = (entry[0], last[1] + entry[1])
        else:
            self._entries.append(entry)
        self._length += _length(entry)
        if self._length >= PENDING_LIMIT:
            self._room.clear()
        if not self._committing and (self._timer is None or not self._may_wait()):
            self._commit_next()

    def cut(self) -> None:
        """Drop all of it; nobody waits for it any more."""
        self._entries.clear()
        self._length = 0
        self._drop_timer()
        self._room.set()
        if not self._cut.done():
            self._cut.set_result(None)

    @property
    def full(self) -> bool:
        """Tell whether too much waits, or can be committed no more."""
        return not self._room.is_set() or self.error is not None

    async def room(self) -> None:
        """Wait while too much waits.

        :raises StopChatError: `internal`, when it cannot be committed at all.
        """
        await self._room.wait()
        self._check()

    async def drained(self) -> None:
        """Wait until all of it is committed and shown, or until it is cut off.

        :raises StopChatError: `internal`, when it cannot be committed at all.
        """
        self._ending = True
        if self._timer is not None:
            self._commit_next()
        while self._committing and not self._cut.done():
            self._idle = self._loop.create_future()
            await asyncio.wait({self._idle, self._cut}, return_when=asyncio.FIRST_COMPLETED)
        self._check()

    def _check(self) -> None:
        if self.error is not None:
            raise StopChatError(ErrorCode.INTERNAL, "text cannot be kept") from self.error

    def _commit_next(self) -> None:
        self._committing = bool(self._entries) and not self._cut_off() and self.error is None
        if not self._committing:
            if self._idle is not None and not self._idle.done():
                self._idle.set_result(None)
            return
        self._drop_timer()
        if self._may_wait():
            self._committing = False
            self._timer = self._loop.call_at(self._next_text, self._commit_next)
            return
        entry = self._entries.pop(0)
        if isinstance(entry, tuple):
            self._next_text = self._loop.time() + self._interval
        self._length -= _length(entry)
        then = partial(self._committed, entry)
        try:
            self._commit(entry, then)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the generation
            then(None, error)

    def _may_wait(self) -> bool:
        """Tell whether nothing but text waits, little of it, and soon after the last."""
        return (
            len(self._entries) == 1
            and isinstance(self._entries[0], tuple)
            and not self._ending
            and self._length < PENDING_LIMIT
            and self._loop.time() < self._next_text
        )

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _committed(self, entry: Entry, _: Any, error: BaseException | None) -> None:
        """Show what is committed, and go on with what waits."""
        self.error = error
        if error is not None or self._length < PENDING_LIMIT:
            self._room.set()
        if error is None and not self._cut_off():
            self._show(entry)
        self._commit_next()


def shown_call(call: ToolCall) -> ToolCall:
    """Return a call as it is shown: whole characters, and not too many."""
    return call.model_copy(
        update={
            "call_id": whole(call.call_id),
            "name": whole(call.name),
            "args": _shown(call.args),
            "result": _shown(call.result),
        }
    )


def _shown(text: str | None) -> str | None:
    if text is None:
        return None
    text = whole(text)
    if utf16_length(text) <= TOOL_LIMIT:
        return text
    return utf16_slice(text, 0, TOOL_LIMIT - 1) + "…"


def _length(entry: Entry) -> int:
    """Return how much an entry counts while it waits."""
    if isinstance(entry, tuple):
        return len(entry[1])
    if isinstance(entry, ToolCall):
        return len(entry.args or "") + len(entry.result or "")
    return 0
