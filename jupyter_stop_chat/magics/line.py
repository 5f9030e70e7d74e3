"""A line to where the reply is made, which another thread can cut at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Line:
    """What a thread waits for, so that another thread can end the wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[Callable[[], object]] = []
        self._cut = threading.Event()

    @contextmanager
    def hold(self, cut: Callable[[], object]) -> Iterator[None]:
        """Have `cut` called, from any thread, if the line is cut within the block.

        :raises ConnectionAbortedError: when the line is cut already.
        """
        with self._lock:
            self.check()
            self._held.append(cut)
        try:
            yield
        finally:
            with self._lock:
                self._held.remove(cut)

    def check(self) -> None:
        """Go on only while the line is whole.

        :raises ConnectionAbortedError: when it is cut.
        """
        if self._cut.is_set():
            raise ConnectionAbortedError("the line was cut")

    def pause(self, seconds: float) -> None:
        """Wait, unless the line is cut.

        :raises ConnectionAbortedError: when it is cut.
        """
        self._cut.wait(seconds)
        self.check()

    def cut(self) -> None:
        """End all that is waited for, and let nothing new begin."""
        with self._lock:
            self._cut.set()
            for cut in self._held:
                cut()
