"""Tasks beside the generations: each is held until its end, and none is forgotten."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from jupyter_stop_chat.wire.errors import StopChatError

log = logging.getLogger(__name__)

_T = TypeVar("_T")


class Background:
    """What runs work in tasks that are tracked and waited for at shutdown (L12)."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        #: Tasks that did not unwind when they were cancelled: fenced off, and held to their end.
        self.runaway: set[asyncio.Task[Any]] = set()

    def run(self, work: Coroutine[Any, Any, _T], name: str) -> asyncio.Task[_T]:
        """Start work and hold its task."""
        task = asyncio.create_task(work, name=f"stop-chat {name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def __len__(self) -> int:
        return len(self._tasks)

    def fence_off(self, task: asyncio.Task[Any]) -> None:
        """Hold a task that nobody waits for any more; what it raises is nobody's concern."""
        self.runaway.add(task)
        task.add_done_callback(self._runaway_done)

    async def settle(self) -> None:
        """Wait until nothing runs any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _runaway_done(self, task: asyncio.Task[Any]) -> None:
        self.runaway.discard(task)
        if not task.cancelled():
            task.exception()
        log.info("a runaway task has ended: %s", task.get_name())

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, StopChatError):
            log.error("%s failed", task.get_name(), exc_info=error)
