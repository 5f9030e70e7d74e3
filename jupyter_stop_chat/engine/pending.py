"""What a chat handler made that is not committed yet: text, thoughts, and tool calls as shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from jupyter_stop_chat.ports.handler import WasThought
from jupyter_stop_chat.ports.lateness import Lateness
from jupyter_stop_chat.ports.store import Part
from jupyter_stop_chat.threads import Then
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.tools import ToolCall
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice, whole

#: So much text may wait for its commit before the model's stream is held back, in code units.
PENDING_LIMIT = 64 * 1024
#: And so many entries: a tool call may have no length at all.
PENDING_ENTRIES = 256
#: What is shown of a tool's arguments and of its result, in code units.
TOOL_LIMIT = 16 * 1024
#: The same of those that are kept whole elsewhere.
CALL_LIMIT = 4 * 1024
#: A part of the message with its text, a tool call, or that the end of the text was a thought.
Entry = tuple[Part, str] | ToolCall | WasThought


class Pace:
    """The steps in which replies go on: a few a second, which all that wait take together.

    Each step costs turns of the loop, a commit and a frame. So none is taken for one reply alone
    while others wait, and none between two words of a model where the second comes soon enough.

    A step that is due is taken with the next word of any reply, and at its latest half an interval
    later. With it go those that are due within half an interval: the next one of such a reply is
    later by so much, so that it takes no more of them. Where the loop is late, all of them are
    further apart: else what is shown of many replies keeps a stop waiting.

    :param interval: how long after a step of a reply its next one is due, in seconds.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._lateness = Lateness()
        self._patience = interval / 2
        #: What those do that wait, and when each is due.
        self._waiting: dict[Callable[[float], None], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def after(self, now: float, due: float) -> float:
        """Return when the step is due that comes after one that is taken now.

        :param due: when that one was due.
        """
        interval = self._lateness.longer(self._interval, now)
        return max(now, min(due, now + self._patience)) + interval

    def wait(self, step: Callable[[float], None], due: float) -> None:
        """Have a step taken; it is told until when one may be due to be taken with it."""
        self._waiting[step] = due
        latest = due + self._patience
        if self._timer is None or latest < self._timer.when():
            self._wake_at(latest)

    def leave(self, step: Callable[[float], None]) -> None:
        """Wait for a step no more."""
        if self._waiting.pop(step, None) is not None and not self._waiting:
            self._drop_timer()

    def take_along(self, now: float) -> None:
        """Take the steps that are soon due, since one is taken now."""
        if not self._waiting:
            return
        until = now + self._patience
        taken = [step for step, due in self._waiting.items() if due <= until]
        for step in taken:
            self.leave(step)
        for step in taken:
            step(until)

    def _wake_at(self, when: float) -> None:
        self._drop_timer()
        self._timer = asyncio.get_running_loop().call_at(when, self._wake)

    def _wake(self) -> None:
        assert self._timer is not None
        due, self._timer = self._timer.when(), None
        loop = asyncio.get_running_loop()
        self.take_along(loop.time())
        self._lateness.saw(loop.time(), due)
        if self._waiting and self._timer is None:
            self._wake_at(min(self._waiting.values()) + self._patience)

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Pending:
    """What waits for its commit in one message: it is committed in order, and then shown.

    What comes during a commit waits for its end, texts as one; and what comes sooner after a text
    of its part than anybody sees a step of it waits for the next step. Text and thoughts that come
    by turns are two texts: nothing keeps how they lay between each other.

    :param commit: commits an entry, and calls what it is given then.
    :param show: shows an entry that is committed.
    :param cut_off: tells whether the text ends where it is.
    :param pace: when a text of a part is committed after another.
    :ivar error: why entries can be committed no more.
    """

    def __init__(
        self,
        commit: Callable[[Entry, Then], None],
        show: Callable[[Entry], None],
        cut_off: Callable[[], bool],
        pace: Pace,
    ) -> None:
        self.error: BaseException | None = None
        self._commit = commit
        self._show = show
        self._cut_off = cut_off
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        #: When the next step of a part is due, by the loop's clock; and of what waits for one now.
        self._next: dict[Part, float] = {"text": 0.0, "reasoning": 0.0}
        self._due: float | None = None
        #: Those that are due until then are taken.
        self._until = 0.0
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
        if self._committing:
            return
        waits = joined and self._due is not None and self._loop.time() < self._due
        if not waits or self._is_much:
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
        self._wait_no_more()
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
        if self._due is not None:
            self._commit_next()
        await self.committed()

    async def committed(self) -> None:
        """Wait until nothing but text that waits for its next step is not committed and shown.

        :raises StopChatError: `internal`, when it cannot be committed at all.
        """
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
            self._rest()
            return
        self._wait_no_more()
        now = self._loop.time()
        if self._may_wait(max(now, self._until)):
            self._committing = False
            texts = (each for each in self._entries if isinstance(each, tuple))
            self._due = min(self._next[part] for part, _ in texts)
            self._pace.wait(self._step, self._due)
            self._rest()
            return
        entry = self._entries.pop(0)
        if isinstance(entry, tuple):
            part = entry[0]
            self._next[part] = self._pace.after(now, self._next[part])
        self._length -= _length(entry)
        then = partial(self._committed, entry)
        try:
            self._commit(entry, then)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the generation
            then(None, error)
        self._pace.take_along(now)

    def _rest(self) -> None:
        """Tell who waits for it that nothing is being committed now."""
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _may_wait(self, now: float) -> bool:
        """Tell whether nothing but text waits, little of it, and no step of it is due."""
        return (
            not self._ending
            and not self._is_much
            and all(
                isinstance(each, tuple) and now < self._next[each[0]] for each in self._entries
            )
        )

    def _step(self, until: float) -> None:
        """Commit what is due until then."""
        self._until = until
        self._commit_next()

    def _wait_no_more(self) -> None:
        if self._due is not None:
            self._due = None
            self._pace.leave(self._step)

    def _committed(self, entry: Entry, _: Any, error: BaseException | None) -> None:
        """Show what is committed, and go on with what waits."""
        self.error = error
        if error is not None or not self._is_much:
            self._room.set()
        if error is None and not self._cut_off():
            self._show(entry)
        self._commit_next()


def shown_call(call: ToolCall, most: int = TOOL_LIMIT) -> ToolCall:
    """Return a call as it is shown: whole characters, and not too many."""
    return call.model_copy(
        update={
            "call_id": whole(call.call_id),
            "name": whole(call.name),
            "args": _shown(call.args, most),
            "result": _shown(call.result, most),
        }
    )


def _shown(text: str | None, most: int) -> str | None:
    if text is None:
        return None
    text = whole(text)
    if utf16_length(text) <= most:
        return text
    return utf16_slice(text, 0, most - 1) + "…"


def _length(entry: Entry) -> int:
    """Return how much an entry counts while it waits."""
    if isinstance(entry, tuple):
        return len(entry[1])
    if isinstance(entry, ToolCall):
        return len(entry.args or "") + len(entry.result or "")
    return 0
