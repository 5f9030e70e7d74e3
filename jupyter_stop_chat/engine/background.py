"""Tasks beside the generations: each is held until its end, and none is forgotten."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from jupyter_stop_chat.errors import StopChatError

log = logging.getLogger(__name__)

_T = TypeVar("_T")


class Background:
    """Run work in tasks that are tracked and waited for at shutdown (L12)."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def run(self, work: Coroutine[Any, Any, _T], name: str) -> asyncio.Task[_T]:
        """Start work and hold its task."""
        task = asyncio.create_task(work, name=f"stop-chat {name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def __len__(self) -> int:
        return len(self._tasks)

    async def settle(self) -> None:
        """Wait until nothing runs any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, StopChatError):
            log.error("%s failed", task.get_name(), exc_info=error)
