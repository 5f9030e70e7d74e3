"""What waits to be sent to Redis: all that comes in one step of the loop goes out together."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_stop_chat.ports.peers import NotReachedError

from .news import Outbound

#: A command and what follows it.
Command = tuple[str | bytes | int, ...]

#: So many commands wait at most.
MOST_WAITING = 10_000
#: So many go out together at most.
MOST_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """A command that waits, and who is told what Redis answers, or the error."""

    command: Command
    then: Callable[[Any], None]


class Outgoing:
    """What waits to be sent: commands, and news behind them.

    :param news: what is told to others.
    """

    def __init__(self, news: Outbound) -> None:
        self._news = news
        self._waiting: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._sending = 0
        self._idle = asyncio.Event()
        self._is_open = False

    def open(self) -> None:
        """Take commands from now on: they will be sent."""
        self._is_open = True
        self._wake.set()

    def shut(self) -> None:
        """Take no more, and tell whoever waits that nothing came of it."""
        self._is_open = False
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            each.then(NotReachedError())
        self._news.lose()
        self._idle.set()

    def put(self, *command: str | bytes | int, then: Callable[[Any], None]) -> None:
        """Have a command sent soon; what does not fit any more is not."""
        if not self._is_open or len(self._waiting) >= MOST_WAITING:
            then(NotReachedError())
            return
        self._waiting.append(Waiting(command, then))
        self._wake.set()

    def ask(self, *command: str | bytes | int) -> asyncio.Future[Any]:
        """Have a command sent soon, and return its answer to come: `NotReachedError` if none."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def told(answer: Any) -> None:
            if future.done():
                return
            if isinstance(answer, Exception):
                future.set_exception(NotReachedError())
                future.exception()  # nobody need look at it
            else:
                future.set_result(answer)

        self.put(*command, then=told)
        return future

    def wake(self) -> None:
        """Have whoever sends look what there is."""
        self._wake.set()

    async def wait(self, seconds: float) -> None:
        """Return when something waits, or after so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def take(self) -> list[Waiting]:
        """Return what is to be sent now: `done` follows."""
        self._wake.clear()
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
        taken += [
            Waiting(("PUBLISH", each.channel, each.data), each.then) for each in self._news.take()
        ]
        if self._waiting or self._news.is_waiting:
            self._wake.set()
        self._sending = len(taken)
        return taken

    def done(self) -> None:
        """Note that what was taken has been sent, or was not."""
        self._sending = 0
        if not (self._waiting or self._news.is_waiting):
            self._idle.set()

    async def sent(self, seconds: float) -> None:
        """Return when nothing waits, and nothing is being sent; or after so long."""
        if self._sending or self._waiting or self._news.is_waiting:
            self._idle.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._idle.wait()
