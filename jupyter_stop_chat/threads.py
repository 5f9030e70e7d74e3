"""Run what blocks in threads of our own, never in the event loop's default executor.

A few threads that do not end would fill that: every look-up of a name on the server would wait
for them, and the process could not exit.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
#: Told in the event loop what a function returned, or what it raised.
Then = Callable[[Any, BaseException | None], None]
#: What to call, or None to end, and who is told.
_Job = tuple[Callable[[], Any] | None, Then, asyncio.AbstractEventLoop]


class Threads:
    """Threads that take one job after another, and keep no process from ending.

    A job goes there in a queue and comes back in one call to the event loop: with one thread,
    jobs are done in the order in which they were given.

    :param count: how many; each begins when it is needed.
    :param name: what they are called.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def run(self, function: Callable[[], _T]) -> asyncio.Future[_T]:
        """Call a function in a thread; one whose caller is cancelled is called all the same."""
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self.call(function, partial(answer, future))
        return future

    def call(self, function: Callable[[], Any], then: Then) -> None:
        """Call a function in a thread, and then another in the event loop."""
        if len(self._threads) < self._count:
            # A daemon: a disk that never answers must not keep Python from ending.
            thread = threading.Thread(
                target=_work, args=(self._jobs,), name=self._name, daemon=True
            )
            self._threads.append(thread)
            thread.start()
        self._jobs.put((function, then, asyncio.get_running_loop()))

    def end(self) -> list[asyncio.Future[None]]:
        """Let the threads end once they have done what they were given.

        :returns: a future for each, done when it ends.
        """
        loop = asyncio.get_running_loop()
        threads, self._threads = self._threads, []
        ended: list[asyncio.Future[None]] = [loop.create_future() for _ in threads]
        for future in ended:
            self._jobs.put((None, partial(answer, future), loop))
        return ended

    async def close(self) -> None:
        """Return when the threads have done what they were given, and end."""
        await asyncio.gather(*self.end())


async def in_thread(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call a function in a thread that lives as long as the call, which nobody else waits for."""
    threads = Threads(1, "stop-chat-work")
    try:
        return await threads.run(partial(function, *args, **kwargs))
    finally:
        threads.end()


def _work(jobs: SimpleQueue[_Job]) -> None:
    goes_on = True
    while goes_on:
        function, then, loop = jobs.get()
        goes_on = function is not None
        result: Any = None
        error: BaseException | None = None
        try:
            result = function() if function is not None else None
        except StopIteration as raised:  # no future can hold it
            error = RuntimeError("StopIteration")
            error.__cause__ = raised
        except BaseException as raised:  # noqa: BLE001 - it is theirs who asked
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(then, result, error)
        del function, then, loop, result, error  # keep nothing alive while it waits


def answer(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    """Tell whoever waits for a future, unless nobody does any more."""
    if future.done():  # its caller was cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def tell(then: Then, future: asyncio.Future[Any]) -> None:
    """Tell what became of a future: the other way round."""
    error: BaseException | None = asyncio.CancelledError()
    if not future.cancelled():
        error = future.exception()
    then(None if error else future.result(), error)
