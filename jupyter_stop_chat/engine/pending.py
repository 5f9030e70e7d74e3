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
#: And so many entries: a tool call may have no length at all.
PENDING_ENTRIES = 256
#: What is shown of a tool's arguments and of its result, in code units.
TOOL_LIMIT = 16 * 1024
#: A part of the message with its text, a tool call, or that the end of the text was a thought.
Entry = tuple[Part, str] | ToolCall | WasThought


class Pending:
    """What waits for its commit in one message: it is committed in order, and then shown.

    What comes during a commit waits for its end, texts as one; and so does what comes sooner after
    a text of its part than anybody sees a step of it. Text and thoughts that come by turns are two
    texts: nothing keeps how they lay between each other.

    :param commit: commits an entry, and calls what it is given then.
    :param show: shows an entry that is committed.
    :param cut_off: tells whether the text ends where it is.
    :param interval: how long after a text the next one of its part is committed, in seconds.
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
        #: When the next text of a part may be committed, by the loop's clock; what waits for that.
        self._next: dict[Part, float] = {"text": 0.0, "reasoning": 0.0}
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
        joined = isinstance(entry, tuple) and self._join(*entry)
        if not joined:
            self._entries.append(entry)
        self._length += _length(entry)
        if self._is_much:
            self._room.clear()
        waits = joined and self._timer is not None and self._may_wait()
        if not self._committing and not waits:
            self._commit_next()

    def _join(self, part: Part, text: str) -> bool:
        """Put a text behind one of its part, with no more between them than the other's."""
        for at in range(len(self._entries) - 1, -1, -1):
            there = self._entries[at]
            if not isinstance(there, tuple):
                break
            if there[0] == part:
                self._entries[at] = (part, there[1] + text)
                return True
        return False

    def cut(self) -> None:
        """Drop all of it; nobody waits for it any more."""
        self._entries.clear()
        self._length = 0
        self._drop_timer()
        self._room.set()
        if not self._cut.done():
            self._cut.set_result(None)

    @property
    def _is_much(self) -> bool:
        return self._length >= PENDING_LIMIT or len(self._entries) >= PENDING_ENTRIES

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
            texts = (each for each in self._entries if isinstance(each, tuple))
            soonest = min(self._next[part] for part, _ in texts)
            self._timer = self._loop.call_at(soonest, self._commit_next)
            return
        entry = self._entries.pop(0)
        if isinstance(entry, tuple):
            self._next[entry[0]] = self._loop.time() + self._interval
        self._length -= _length(entry)
        then = partial(self._committed, entry)
        try:
            self._commit(entry, then)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the generation
            then(None, error)

    def _may_wait(self) -> bool:
        """Tell whether nothing but text waits, little of it, and each soon after the last."""
        now = self._loop.time()
        return (
            not self._ending
            and not self._is_much
            and all(
                isinstance(each, tuple) and now < self._next[each[0]] for each in self._entries
            )
        )

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _committed(self, entry: Entry, _: Any, error: BaseException | None) -> None:
        """Show what is committed, and go on with what waits."""
        self.error = error
        if error is not None or not self._is_much:
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
