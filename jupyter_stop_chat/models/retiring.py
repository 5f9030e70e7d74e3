"""End the chat handlers that nobody uses any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from jupyter_stop_chat.closing import close_part
from jupyter_stop_chat.ports.handler import ChatHandler

log = logging.getLogger(__name__)

#: How long a handler is waited for when it is closed, in seconds: less than all of them are.
CLOSE_S = 4.0


class Retiring:
    """The handlers that are being ended, each in a task of its own."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def retire(self, handler: ChatHandler) -> None:
        """Close the connections of a handler that no reply uses, and let the others end."""
        retire = getattr(handler, "retire", None)
        if retire is not None:
            self._start(retire())

    def release(self, handler: ChatHandler) -> None:
        """Close what nobody uses; a model's connections may be shared with other models."""
        if hasattr(handler, "retire"):
            self.retire(handler)
        else:
            self._start(close_part(type(handler).__name__, handler.close, CLOSE_S))

    def _start(self, ending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(ending, name="stop-chat retire")
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("old connections could not be closed: %s", type(error).__name__)
