"""One writer for all: what waits goes out as one group, in the order it came."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from jupyter_stop_chat.threads import Then, answer

from .operations import Append, Operation
from .weight import weight

log = logging.getLogger(__name__)

#: The most that one transaction takes.
GROUP_OPERATIONS = 1000
GROUP_BYTES = 1024 * 1024
#: After so long of telling who wrote a group, others have their turn, in seconds.
TELLING = 0.001
#: What may wait before appended text has to wait outside.
WAITING_BYTES = 8 * 1024 * 1024

#: Commits a group and answers for each operation: a value, or the exception it is due. The
#: second argument is why the group could not be committed before, if it was tried.
Commit = Callable[[Sequence[Operation], BaseException | None], Awaitable[Sequence[Any]]]
#: Takes the next group, in whichever thread.
Take = Callable[[], Sequence[Operation]]
#: Told in the event loop of a group's answers, or why it could not be committed.
GroupThen = Callable[[Sequence[Any], BaseException | None], None]
#: Has the next group taken and committed in a thread; False: it cannot now.
Submit = Callable[[Take, GroupThen], bool]
_Job = Callable[[], Awaitable[Any]]
_Waiting = tuple[Operation | _Job, Then, int]


class Writer:
    """What commits operations in groups, first come first served.

    There is no timer: a lone operation goes out at once, and what arrives while a commit runs
    makes up the next group. So the cost of each falls as the load grows. A group goes to the
    thread that writes and comes back from there without any task in between.

    :param commit: commits what `submit` cannot, or could not.
    """

    def __init__(
        self,
        commit: Commit,
        submit: Submit = lambda take, then: False,
    ) -> None:
        self._commit = commit
        self._submit = submit
        #: Told how many seconds the commit of a group took.
        self.on_commit: Callable[[float], None] = lambda seconds: None
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        #: What is being committed now, taken from what waits; and since when.
        self._group: list[_Waiting] = []
        self._began = 0.0
        self._busy = False
        self._task: asyncio.Task[None] | None = None
        self._open = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def backlog(self) -> int:
        """Count the operations that wait."""
        return len(self._waiting)

    @property
    def running(self) -> bool:
        """Tell whether operations are taken."""
        return self._open

    def start(self) -> None:
        """Begin to commit what is written."""
        self._open = True

    def write(self, operation: Operation) -> Awaitable[Any]:
        """Return what an operation answers, once its group is committed.

        A caller that is cancelled meanwhile takes nothing back: the operation is committed.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        # Only text is held back: what ends a message must always get through.
        if isinstance(operation, Append) and self.full:
            return self._write_later(operation)
        self.write_then(operation, partial(answer, future))
        return future

    def write_then(self, operation: Operation, then: Then) -> None:
        """Write an operation, whether there is room or not, and tell what it answered."""
        self._put(operation, weight(operation), then)

    @property
    def full(self) -> bool:
        """Tell whether so much waits that appended text has to wait outside."""
        return not self._room.is_set()

    async def _write_later(self, operation: Append) -> Any:
        while self.full:
            await self._room.wait()
        return await self.write(operation)

    async def run(self, job: _Job) -> Any:
        """Run a job alone, in its place in the order."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._put(job, 0, partial(answer, future))
        return await future

    async def close(self) -> None:
        """Commit what waits, and take no more."""
        while self._open:
            await self._idle.wait()
            self._open = not self._idle.is_set()

    def _put(self, what: Operation | _Job, size: int, then: Then) -> None:
        if not self._open:
            raise RuntimeError("the store is not open")
        self._waiting.append((what, then, size))
        self._bytes += size
        if self._bytes > WAITING_BYTES:
            self._room.clear()
        self._idle.clear()
        if not self._busy:
            self._go_on()

    def _go_on(self) -> None:
        """Begin with the next group, if there is one."""
        self._busy = bool(self._waiting)
        if not self._busy:
            self._idle.set()
            return
        self._began = time.perf_counter()
        if callable(self._waiting[0][0]) or not self._submit(self._take, self._submitted):
            self._take()
            self._task = asyncio.create_task(self._commit_group(), name="stop-chat-store-writer")

    def _take(self) -> list[Operation]:
        """Take the next group out of what waits, maybe in another thread: it only pops.

        A job is a group of its own.
        """
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
        self._group = group
        return [each[0] for each in group]  # type: ignore[misc]

    def _submitted(self, answers: Sequence[Any], error: BaseException | None) -> None:
        """Hear of the group that a thread took, or could not commit."""
        if error is not None:
            if not self._group:  # it failed before it took any
                self._take()
            self._task = asyncio.create_task(
                self._commit_group(error), name="stop-chat-store-writer"
            )
            return
        self._answer(answers)

    async def _commit_group(self, failed: BaseException | None = None) -> None:
        group = self._group
        try:
            what = group[0][0]
            if callable(what):
                answers: Sequence[Any] = [await what()]
            else:
                answers = await self._commit([each[0] for each in group], failed)  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 - it is theirs who asked
            answers = [error] * len(group)
        self._answer(answers)

    def _answer(self, answers: Sequence[Any]) -> None:
        """Tell who wrote the group how it went, and go on with the next."""
        group, self._group = self._group, []
        if group and not callable(group[0][0]):
            self.on_commit(time.perf_counter() - self._began)
        self._bytes -= sum(size for _, _, size in group)
        if self._bytes <= WAITING_BYTES:
            self._room.set()
        told = list(zip(group, answers, strict=True))
        # Those first who wait for more than to go on with their text.
        told.sort(key=lambda each: isinstance(each[0][0], Append))
        self._tell(iter(told))

    def _tell(self, told: Iterator[tuple[_Waiting, Any]]) -> None:
        """Tell some of a group's answers, and then the others."""
        loop = asyncio.get_running_loop()
        until = loop.time() + TELLING
        for (_, then, _), result in told:
            try:
                if isinstance(result, BaseException):
                    then(None, result)
                else:
                    then(result, None)
            except Exception:
                log.exception("what was told of a commit failed")
            if loop.time() >= until:
                loop.call_soon(self._tell, told)
                return
        # Not at once: who is told now has something to add to the next group.
        loop.call_soon(self._go_on)
