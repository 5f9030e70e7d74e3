"""Notice whatever holds an event loop: a callback that computes for long, where blockbuster sees
only calls that block."""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: The longest that one callback may compute, in seconds of its thread's own time: how long other
#: processes and threads take meanwhile is nobody's fault.
LONGEST = 0.05
#: The thread's own time is asked for so often at most, in seconds: each time is a system call, and
#: most callbacks take less than that. A callback may be taken for longer by so much.
ASKED_AFTER = 0.001
#: Where other processes share the machine's caches, a thread's own time is longer as well; it is
#: taken to be so much longer at most.
SLOWEST = 2.5
#: What is read to find out how much longer: it goes through memory, as messages and frames do.
#: What only counts stays in the processor, and is hardly slower where all else is.
_TEXT = json.dumps([{f"name {n}": [n, f"{n} " * 3, {"of": n}]} for n in range(1000)])
#: What may take longer: a server loads its extensions once, before it serves anybody; and the
#: tables on a database server are made in a thread whose loop serves nobody else. And kernels are
#: started by Jupyter, on its loop.
MAY = (
    "MultiKernelManager._add_kernel_when_ready",
    "jp_configurable_serverapp.<locals>._configurable_serverapp.<locals>.initialize_app",
    "_prepare",
)


class Watchdog:
    """What notices callbacks that hold their loop.

    :ivar holds: what was noticed, a line each.
    """

    def __init__(self, longest: float = LONGEST, slowest: float = SLOWEST) -> None:
        self.holds: list[str] = []
        self._longest = longest
        self._slowest = slowest
        self._measure = min(_fixed_work() for _ in range(20))
        self._pauses = threading.local()
        self._asked = threading.local()

    def take(self) -> list[str]:
        """Return what was noticed since it was asked last."""
        taken, self.holds = self.holds, []
        return taken

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch every event loop of this process."""
        run, asked = asyncio.Handle._run, self._asked

        def watched(handle: asyncio.Handle) -> None:
            began, paused = time.perf_counter(), self._paused
            if began - getattr(asked, "at", 0.0) > ASKED_AFTER:
                asked.at, asked.used = began, time.thread_time()
            called: Any = handle._callback  # type: ignore[attr-defined]
            run(handle)
            # Its own time is never more than what went by.
            if time.perf_counter() - began > self._longest:
                held = time.thread_time() - asked.used - (self._paused - paused)
                if held <= self._longest or _name(called).startswith(MAY):
                    return
                if held > self._longest * self._slowness():
                    self.holds.append(f"{held * 1000:.0f} ms: {_name(called)}")

        asyncio.Handle._run = watched  # type: ignore[method-assign]
        gc.callbacks.append(self._collecting)
        try:
            yield
        finally:
            asyncio.Handle._run = run  # type: ignore[method-assign]
            gc.callbacks.remove(self._collecting)

    def _slowness(self) -> float:
        """Return how much slower than at its best the machine is now.

        What held the loop was slowed for as long as it ran, and not in its best moments alone.
        """
        now = [_fixed_work() for _ in range(9)]
        self._measure = min(self._measure, *now)
        return min(self._slowest, statistics.median(now) / self._measure)

    @property
    def _paused(self) -> float:
        return getattr(self._pauses, "total", 0.0)

    def _collecting(self, phase: str, _info: dict[str, int]) -> None:
        """Leave out the collection of garbage: whose it is, nobody knows."""
        now = time.thread_time()
        if phase == "start":
            self._pauses.began = now
        else:
            self._pauses.total = self._paused + now - getattr(self._pauses, "began", now)


def _fixed_work() -> float:
    """Return how much of the thread's own time some work takes that is always the same."""
    began = time.thread_time()
    read = json.loads(_TEXT)
    sorted(map(str, read))
    return time.thread_time() - began


def _name(called: Any) -> str:
    """Name a callback, and of a task how far it has come."""
    task = getattr(called, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return repr(called)
    coroutine: Any = task.get_coro()
    frame = getattr(coroutine, "cr_frame", None)
    where = f", now at {frame.f_code.co_filename}:{frame.f_lineno}" if frame else ", at its end"
    return f"{getattr(coroutine, '__qualname__', coroutine)} ({task.get_name()}{where})"
