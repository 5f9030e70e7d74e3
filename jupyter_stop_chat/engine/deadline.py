"""A deadline, before which no time passes while a person is asked something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """What has something called, unless it is dropped by then; a new one replaces another.

    :ivar timer: what calls it; None while no time passes, or where there is no deadline.
    """

    def __init__(self) -> None:
        self.timer: asyncio.TimerHandle | None = None
        self._call: Callable[[], None] = lambda: None
        #: How many things wait for a person, and what was left when the first of them began to.
        self._pauses = 0
        self._left: float | None = None

    def set(self, delay: float, call: Callable[[], None]) -> None:
        """Have something called.

        :param delay: in seconds, whether a person is asked something or not.
        """
        self.drop()
        self._call = call
        self.timer = asyncio.get_running_loop().call_later(delay, call)

    def drop(self) -> None:
        """Have nothing called any more."""
        self._left = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    @property
    def paused(self) -> bool:
        """Tell whether no time passes, since a person is asked something."""
        return self._pauses > 0

    def pause(self) -> None:
        """Let no time pass until `resume` was called as often."""
        self._pauses += 1
        if self.timer is not None:
            left = self.timer.when() - asyncio.get_running_loop().time()
            self.timer.cancel()
            self.timer, self._left = None, max(0.0, left)

    def resume(self) -> None:
        """Let time pass again, unless another deadline was set meanwhile."""
        self._pauses -= 1
        if not self._pauses and self._left is not None:
            self.set(self._left, self._call)
