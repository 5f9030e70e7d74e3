"""The kernel's interrupt as news, and not as an exception in the middle of anything."""

from __future__ import annotations

import queue
import signal
import threading
from types import FrameType
from typing import Any

#: What is put among the news when the person interrupts.
INTERRUPT = object()


class Interrupts:
    """What takes the interrupt signal within the block.

    A `KeyboardInterrupt` could land in the middle of a display or of the stop itself, and a second
    one in the clean-up. So the signal is noted, and acted on where that is safe.

    Signals come to the main thread only; in a subshell's thread nothing is taken.

    :param news: told of each interrupt. A `SimpleQueue` may be put to from a signal's handler.
    """

    def __init__(self, news: queue.SimpleQueue[Any]) -> None:
        self._news = news
        self._before: Any = None
        self._mine = threading.current_thread() is threading.main_thread()
        #: How often the person interrupted.
        self.count = 0

    def __enter__(self) -> Interrupts:
        if self._mine:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._mine:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self._news.put(INTERRUPT)
