"""One writer for all: what waits goes out as one group, in the order it came."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from .operations import Append, Operation, weight

#: The most that one transaction takes.
GROUP_OPERATIONS = 1000
GROUP_BYTES = 1024 * 1024
#: What may wait before appended text has to wait outside.
WAITING_BYTES = 8 * 1024 * 1024

#: Commits a group and answers for each operation: a value, or the exception it is due.
Commit = Callable[[Sequence[Operation]], Awaitable[Sequence[Any]]]
_Job = Callable[[], Awaitable[Any]]
_Waiting = tuple[Operation | _Job, asyncio.Future[Any], int]


class Writer:
    """What commits operations in groups, first come first served.

    There is no timer: a lone operation goes out at once, and what arrives while a commit runs
    makes up the next group. So the cost of each falls as the load grows.
    """

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        #: Told how many seconds the commit of a group took.
        self.on_commit: Callable[[float], None] = lambda seconds: None
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    @property
    def backlog(self) -> int:
        """Count the operations that wait."""
        return len(self._waiting)

    @property
    def running(self) -> bool:
        """Tell whether operations are taken."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin to commit what is written."""
        self._task = asyncio.create_task(self._run(), name="stop-chat-store-writer")

    async def write(self, operation: Operation) -> Any:
        """Return what an operation answers, once its group is committed.

        A caller that is cancelled meanwhile takes nothing back: the operation is committed.
        """
        if isinstance(operation, Append):
            # Only text is held back: what ends a message must always get through.
            while not self._room.is_set():
                await self._room.wait()
        return await self._put(operation, weight(operation))

    async def run(self, job: _Job) -> Any:
        """Run a job alone, in its place in the order."""
        return await self._put(job, 0)

    async def close(self) -> None:
        """Commit what waits, and end."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
            self._task = None

    def _put(self, what: Operation | _Job, size: int) -> asyncio.Future[Any]:
        if not self.running:
            raise RuntimeError("the store is not open")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, future, size))
        self._bytes += size
        if self._bytes > WAITING_BYTES:
            self._room.clear()
        self._wake.set()
        return future

    def _next_group(self) -> list[_Waiting]:
        """Return the next group; a job is a group of its own."""
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < GROUP_OPERATIONS:
            what, _, cost = self._waiting[0]
            if group and (callable(what) or size + cost > GROUP_BYTES):
                break
            group.append(self._waiting.popleft())
            size += cost
            if callable(what):
                break
        self._bytes -= size
        if self._bytes <= WAITING_BYTES:
            self._room.set()
        return group

    async def _run(self) -> None:
        while True:
            while self._waiting:
                group = self._next_group()
                try:
                    what = group[0][0]
                    if callable(what):
                        answers: Sequence[Any] = [await what()]
                    else:
                        began = time.perf_counter()
                        answers = await self._commit([each[0] for each in group])  # type: ignore[misc]
                        self.on_commit(time.perf_counter() - began)
                except Exception as error:  # noqa: BLE001 - it is theirs who asked
                    answers = [error] * len(group)
                for (_, future, _), answer in zip(group, answers, strict=True):
                    if future.done():  # its caller was cancelled
                        continue
                    if isinstance(answer, BaseException):
                        future.set_exception(answer)
                    else:
                        future.set_result(answer)
            if self._closing:
                return
            self._wake.clear()
            await self._wake.wait()
