"""The steps that a scripted model or handler goes through, and every bad habit among them.

A script is a sequence of steps. An event (`Text`, `Reasoning`, `ToolStarted`, `TokensUsed`, …) is
a step that is yielded; a plain string stands for `Text`. The rest are the habits below. Nothing
here waits for a time: a script stops at a `Gate` until a test opens it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from jupyter_stop_chat.ports.handler import Event, Turn


class Flag:
    """What `asyncio.Event` is, for several threads and event loops at once."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def is_set(self) -> bool:
        """Tell whether it was set."""
        return self._event.is_set()

    def set(self) -> None:
        """Set it, and wake whoever waits, in whatever thread."""
        with self._lock:
            self._event.set()
            waiters, self._waiters = self._waiters, []
        for loop, future in waiters:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_finish, future)

    def clear(self) -> None:
        """Make it as if it had never been set."""
        self._event.clear()

    async def wait(self) -> None:
        """Wait in an event loop until it is set."""
        with self._lock:
            if self._event.is_set():
                return
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            self._waiters.append((loop, future))
        await future

    def wait_in_thread(self, timeout: float | None = None) -> bool:
        """Wait in a thread until it is set.

        :param timeout: the most seconds to wait.
        :returns: whether it is set.
        """
        return self._event.wait(timeout)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@dataclass(frozen=True, eq=False)
class Gate:
    """A step that waits until it is opened, and tells the test that the script has come so far.

    :ivar swallow: how many times `CancelledError` is swallowed here (-1: always). The script
        then waits on, and once the gate is open it goes on with the next step.
    :ivar leave_at_cancel: go on with the next step as soon as a cancel was swallowed.
    """

    swallow: int = 0
    leave_at_cancel: bool = False
    reached: Flag = field(default_factory=Flag)
    opened: Flag = field(default_factory=Flag)
    #: Set each time that a cancel was swallowed here.
    swallowed: Flag = field(default_factory=Flag)

    def open(self) -> None:
        """Let the script go on."""
        self.opened.set()


@dataclass(frozen=True)
class Block:
    """The event loop (or the thread) without awaiting anything, for some milliseconds."""

    ms: float


@dataclass(frozen=True)
class Raise:
    """What raises an exception, of any kind."""

    error: BaseException


@dataclass(frozen=True)
class Endless:
    """What yields a text again and again, for ever.

    :ivar polite: let the event loop run between two of them. Otherwise the stream never awaits,
        and a cancel can only land in its reader.
    """

    text: str
    polite: bool = True


@dataclass(frozen=True)
class SlowClean:
    """From here on, wait for a gate in the clean-up, however the reply ends."""

    gate: Gate


@dataclass(frozen=True)
class RefuseToClose:
    """From here on, answer `aclose()` with one more text, which Python makes a `RuntimeError`."""

    text: str = "still here"


@dataclass(frozen=True)
class Call:
    """What calls a function of the test, with the turn (None in a model)."""

    function: Callable[[Turn | None], None]


Step = str | Event | Gate | Block | Raise | Endless | SlowClean | RefuseToClose | Call
Script = Sequence[Step]

FIVE_MEGABYTES = "0123456789abcde\n" * (5 * 1024 * 1024 // 16)
LONE_SURROGATES = "a \ud83d half \ude00 of a pair"
