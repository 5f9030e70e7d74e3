"""Run what has only sync code in a thread of its own, and let go of it at a cancel.

Never in the event loop's default executor, which threads that do not end would fill.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

from jupyter_stop_chat.ports.handler import Turn
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

T = TypeVar("T")

#: How many chunks a thread may be ahead of its reader.
_AHEAD = 16


class SyncBridge:
    """What counts the threads that nobody waits for any more.

    :param max_stuck: with so many of them, a new reply by a sync model is refused.
    """

    def __init__(self, max_stuck: int = 8) -> None:
        self.max_stuck = max_stuck
        self._stuck = 0
        self._lock = threading.Lock()

    @property
    def stuck(self) -> int:
        """Return how many threads run on although their reply was ended."""
        return self._stuck

    def add(self, change: int) -> None:
        """Count a thread in (1) or out (-1)."""
        with self._lock:
            self._stuck += change

    async def call(self, function: Callable[[], T]) -> T:
        """Call a function in a thread; one that runs on behind a cancel is counted until its end.

        :raises StopChatError: `too_many_stuck`.
        """
        if self._stuck >= self.max_stuck:
            raise StopChatError(ErrorCode.TOO_MANY_STUCK, f"{self._stuck} threads are stuck")
        left = ended = False

        def work() -> T:
            nonlocal ended
            try:
                return function()
            finally:
                with self._lock:
                    ended = True
                    self._stuck -= left

        try:
            return await in_thread(work)
        except asyncio.CancelledError:
            with self._lock:
                left = not ended
                self._stuck += left
            raise

    async def stream(self, make: Callable[[], Iterator[T]], turn: Turn) -> AsyncGenerator[T, None]:
        """Iterate in a thread, and yield what comes.

        :param make: makes the iterator, in the thread.
        :param turn: is asked whether it was stopped, and told when the thread has ended.
        :raises StopChatError: `too_many_stuck`.
        """
        if self._stuck >= self.max_stuck:
            raise StopChatError(ErrorCode.TOO_MANY_STUCK, f"{self._stuck} threads are stuck")
        run: _Run[T] = _Run(self, make, turn)
        run.start()
        try:
            while not turn.stopped:
                for item in await run.take():
                    yield item
                    run.taken()
                    if turn.stopped:
                        return
                if run.at_end:
                    if run.error is not None:
                        raise run.error
                    return
        finally:
            run.release()


class _Run(Generic[T]):
    """One thread and what it hands to the event loop."""

    def __init__(self, bridge: SyncBridge, make: Callable[[], Iterator[T]], turn: Turn) -> None:
        self.error: BaseException | None = None
        self.at_end = False
        self._bridge = bridge
        self._make = make
        self._turn = turn
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._items: deque[T] = deque()
        self._room = threading.Semaphore(_AHEAD)
        self._abandoned = False
        self._ended = False
        self._counted = False
        self._waiter: asyncio.Future[None] | None = None

    def start(self) -> None:
        threading.Thread(target=self._work, name="stop-chat-sync-model", daemon=True).start()

    # --- in the event loop ------------------------------------------------------------------

    async def take(self) -> list[T]:
        """Wait for what came since the last time; nothing means the end."""
        while True:
            with self._lock:
                if self._items or self._ended:
                    items = list(self._items)
                    self._items.clear()
                    self.at_end = self._ended
                    return items
                self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def taken(self) -> None:
        """Let the thread make one more."""
        self._room.release()

    def release(self) -> None:
        """Tell the thread to end, without waiting for it, and report how it stands."""
        with self._lock:
            self._abandoned = True
            self._items.clear()
            ended = self._ended
            if not ended:
                self._counted = True
                self._bridge.add(1)
        self._room.release()
        if ended:
            self._turn.provider_closed()
        else:
            self._turn.still_finishing()

    # --- in the thread ----------------------------------------------------------------------

    def _work(self) -> None:
        error: BaseException | None = None
        iterator: Any = None
        try:
            iterator = self._make()
            for item in iterator:
                self._room.acquire()
                if self._abandoned or self._turn.stopped:
                    break
                with self._lock:
                    self._items.append(item)
                self._wake()
        except BaseException as caught:  # noqa: BLE001 - it is raised again in the event loop
            error = caught
        try:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
        except BaseException as caught:  # noqa: BLE001
            error = error or caught
        with self._lock:
            self._ended = True
            self.error = error
        if self._counted:
            self._bridge.add(-1)
            self._call(self._turn.provider_closed)
        else:
            self._wake()

    def _wake(self) -> None:
        self._call(self._resolve)

    def _resolve(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _call(self, function: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(function)
