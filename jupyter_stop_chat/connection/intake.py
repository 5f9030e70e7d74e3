"""What is taken in of one client's frames: how fast, how many at once, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from jupyter_stop_chat.wire.client_frames import ClientFrame, Stop
from jupyter_stop_chat.wire.codec import decode, may_be_stop, named_in
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.server_frames import Error, error_frame

from .outbox import Outbox
from .rates import Bucket

#: So many frames of one socket may be in work at once; the next one is refused.
MAX_FRAMES_IN_WORK = 64
#: No stop is refused. While so many are in work, no further frame is read.
MAX_STOPS_IN_WORK = 128
#: After so much the loop goes to the others: each frame counts as one, and so does each so many
#: characters of it. It is about two milliseconds of work.
TURN = 16
CHARACTERS = 2048
#: Refusals in the same words follow one another this far apart, in seconds.
REFUSAL_INTERVAL = 0.1
_STOP_TASK = "stop-chat stop"


class Intake:
    """What reads one client's frames, and has each carried out in a task of its own.

    :param bucket: limits how many frames are taken, besides stops.
    :param relief: set when the outbox is no longer full.
    :param carry_out: carries one frame out; whatever goes wrong, it raises nothing.
    """

    def __init__(
        self,
        outbox: Outbox,
        bucket: Bucket,
        relief: asyncio.Event,
        carry_out: Callable[[ClientFrame], Coroutine[Any, Any, None]],
    ) -> None:
        self._outbox = outbox
        self._bucket = bucket
        self._relief = relief
        self._carry_out = carry_out
        self._tasks: set[asyncio.Task[None]] = set()
        #: How many stops are in work, and how much of this socket's turn is over.
        self._stops = 0
        self._turn = 0
        #: What was refused last, and when.
        self._refusal: Error | None = None
        self._refused_at = 0.0
        self._ended = False

    def end(self) -> None:
        """Take nothing more in."""
        self._ended = True
        self._relief.set()

    def receive(self, raw: str | bytes) -> None:
        """Take one frame in and return at once, so that the next one is read: it may be a stop."""
        if self._ended:
            return
        self._turn += 1 + len(raw) // CHARACTERS
        too_fast = self._bucket.wait > 0
        if too_fast and not may_be_stop(raw):
            self._refuse(ErrorCode.TOO_FAST, raw)
            return
        try:
            frame = decode(raw)
        except StopChatError as error:
            self._bucket.take()
            self._outbox.answer(error_frame(error.code, field=error.field, **named_in(raw)))
            return
        if isinstance(frame, Stop):
            self._stops += 1
        elif self._bucket.take() > 0:
            self._refuse(ErrorCode.TOO_FAST, raw)
            return
        elif len(self._tasks) - self._stops >= MAX_FRAMES_IN_WORK:
            self._refuse(ErrorCode.SERVER_BUSY, raw)
            return
        task = asyncio.create_task(self._carry_out(frame), name=f"stop-chat {frame.type}")
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def room(self) -> Awaitable[None] | None:
        """Return what is to be waited for before the next frame is read, if anything.

        Never a generation: only that the client reads its answers, or that other stops finish.
        """
        if self._ended:
            return None
        over = self._turn >= TURN
        return self._wait() if over or self._crowded else None

    @property
    def _crowded(self) -> bool:
        return self._outbox.full or self._stops >= MAX_STOPS_IN_WORK

    async def _wait(self) -> None:
        """Let the others have their turn, and the client read its answers."""
        self._turn = 0
        await asyncio.sleep(0)
        while self._crowded and not self._ended:
            self._relief.clear()
            await self._relief.wait()

    def _refuse(self, code: ErrorCode, raw: str | bytes) -> None:
        """Tell that a frame is not taken; the same is said only so often."""
        refusal = error_frame(code, **named_in(raw))
        now = asyncio.get_running_loop().time()
        if refusal != self._refusal or now - self._refused_at >= REFUSAL_INTERVAL:
            self._refusal, self._refused_at = refusal, now
            self._outbox.answer(refusal)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.get_name() == _STOP_TASK:
            self._stops -= 1
            self._relief.set()
