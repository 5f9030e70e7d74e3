"""One run of a cell: how it is sent, waited for, and ended where its time or its reply is over.

A page sends it where one has the notebook open, else this server does. Either way the server
itself watches the kernel: with the page gone, it goes on.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from asyncio import FIRST_COMPLETED as FIRST
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from jupyter_stop_chat.ports.kernels import Interrupted, Kernel, Run, RunEnd
from jupyter_stop_chat.ports.tools import Asking, Call, Change, PageError, ToolError

from .going import Going, Runs
from .progress import last_line
from .using import Tasks, Using
from .words import OTHER_KERNEL, PAGE_GONE

#: A stop waits so long for the kernel's answer, and for the cell's end with it, in seconds: the
#: engine waits a little longer for both.
ANSWER_S, STOP_S = 0.8, 1.0
#: A cell whose time is over may take so long to end, in seconds.
OVER_S = 10.0
#: So often it is shown how far a cell has come, in seconds.
SHOWN_EACH_S = 1.0
#: That a kernel is waited for is shown after so long, in seconds.
SHOWN_AFTER_S = 0.2
#: What a page answers where none has the notebook open.
_NOT_OPEN = frozenset({"not_open", "no_page"})
#: Of what failed so nobody knows whether it was sent.
_UNKNOWN = frozenset({"failed", "lost"})
#: A kernel that says so of a run has begun with it.
_BEGAN = frozenset({"raised", "handler", "pending", "ended"})
#: What keeps the outputs of a run that has ended.
Keep = Callable[[RunEnd], Coroutine[Any, Any, None]]


class PersonRuns(Exception):
    """A failure: the cell is its person's at the moment, who has run it."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run went.

    :ivar over: its time was; `by_person`: its person ended it by itself.
    :ivar ended: the kernel is done with it; else `end` is what it has shown by now.
    """

    end: RunEnd
    mark: str
    kernel_id: str
    took: float
    over: bool = False
    by_person: bool = False
    ended: bool = True


class Attempt:
    """One run of a cell, sent once.

    :param change: what was allowed: exactly that runs.
    :param using: the kernel, which is let go of here where the run goes on behind the call.
    :param keep: told of the end of what no page has, where nobody waits for that any more.
    """

    def __init__(
        self,
        call: Call,
        change: Change,
        using: Using,
        kernel: Kernel,
        runs: Runs,
        tasks: Tasks,
        keep: Keep,
    ) -> None:
        self._call = call
        self._change = change
        self._using = using
        self._kernel = kernel
        self._runs = runs
        self._tasks = tasks
        self._keep = keep
        self._mark = secrets.token_hex(16)
        self._run: Run = kernel.expect(self._mark)
        self._going: Going = runs.begin(call, self._run, kernel.info.kernel_id)
        self._end: asyncio.Future[RunEnd] = asyncio.ensure_future(self._run.ended())
        self._is_sent = False
        #: No page has sent it.
        self.from_here = False
        #: What runs on has the kernel, and says itself when it has ended.
        self.is_left = False

    async def carried_out(self, limit: float) -> Finished:
        """Run the cell, and return how that went.

        :param limit: in seconds.
        :raises Asking: the cell is not as it was allowed.
        :raises PersonRuns: its person runs it.
        :raises ToolError: it was not sent.
        :raises asyncio.CancelledError: the reply is stopped; the run is as well, or it is told of.
        """
        began = time.perf_counter()
        try:
            await self._send()
            await self._begins()
            over = not await self._ends_within(limit)
            if over:
                await self._interrupt()
                await asyncio.wait({self._end}, timeout=OVER_S)
            ended = self._end.done()
            if not ended:
                self._leave()
            return Finished(
                self._end.result() if ended else self._run.so_far(),
                self._mark,
                self._kernel.info.kernel_id,
                time.perf_counter() - began,
                over,
                self._going.by_person,
                ended,
            )
        except asyncio.CancelledError:
            await self._stopped()
            raise
        finally:
            if not self.is_left:
                self._over()

    def _over(self) -> None:
        self._end.cancel()
        self._run.drop()
        self._runs.end(self._call, self._going)

    # --- sending it --------------------------------------------------------------------------

    async def _send(self) -> None:
        change, call = self._change, self._call
        fields = {
            "path": change.path,
            "cell_id": change.cell_id,
            "source": change.before,
            "mark": self._mark,
            "kernel_id": self._kernel.info.kernel_id,
        }
        try:
            answer = await call.page("run", fields, effect=True)
        except PageError as error:
            if error.code in _NOT_OPEN:
                self.from_here = True
                call.begin()
                await self._kernel.execute(self._run, change.before or "")
                self._is_sent = True
                return
            if error.code in _UNKNOWN:
                raise await self._page_gone() from error
            if error.code == "changed":
                raise Asking from error
            if error.code == "busy":
                raise PersonRuns from error
            if error.code == "changed_kernel":
                raise ToolError(OTHER_KERNEL) from error
            raise
        msg_id = answer.get("msg_id") if isinstance(answer, dict) else None
        if not isinstance(msg_id, str):
            raise await self._page_gone()
        self._run.sent(msg_id)
        self._is_sent = True

    async def _page_gone(self) -> ToolError:
        """End what a page may have sent, or may send yet; tell what is known of it."""
        said = await self._interrupt()
        if said.answer == "refused":
            return ToolError(PAGE_GONE["refused"])
        return ToolError(PAGE_GONE["ran" if said.answer in _BEGAN else "unknown"])

    # --- waiting for it ----------------------------------------------------------------------

    async def _begins(self) -> None:
        """Wait until the kernel has come to it: its time does not run behind a person's cell."""
        begins: asyncio.Future[Any] = asyncio.ensure_future(self._run.taken_up())
        try:
            await asyncio.wait({begins, self._end}, timeout=SHOWN_AFTER_S, return_when=FIRST)
            if begins.done() or self._end.done():
                return
            self._call.waits_for("kernel")
            await asyncio.wait({begins, self._end}, return_when=FIRST)
            self._call.waits_for(None)
        finally:
            begins.cancel()

    async def _ends_within(self, limit: float) -> bool:
        """Wait for its end, and show how far it has come; tell whether it came in time."""
        until = time.perf_counter() + limit
        shown = ""
        while (left := until - time.perf_counter()) > 0:
            await asyncio.wait({self._end}, timeout=min(left, SHOWN_EACH_S))
            if self._end.done():
                return True
            line = last_line(self._run.so_far().outputs)
            if line and line != shown:
                self._call.progress(line)
                shown = line
        return False

    # --- ending it ---------------------------------------------------------------------------

    async def _interrupt(self) -> Interrupted:
        """End this run and no other; a kernel that says nothing is waited for no longer."""
        began = time.perf_counter()
        asking = self._tasks.run(self._run.interrupt())
        await asyncio.wait({asking}, timeout=ANSWER_S)
        if asking.done() and not asking.cancelled() and asking.exception() is None:
            return asking.result()  # type: ignore[no-any-return]
        return Interrupted("no_answer", round((time.perf_counter() - began) * 1000, 3), False)

    async def _stopped(self) -> None:
        """End the run of a reply that was stopped, and tell what the kernel said."""
        if self._end.done():
            self._keep_late()
            return
        began = time.perf_counter()
        said = await self._interrupt()
        if not self._is_sent and said.answer == "refused":
            # Nothing runs. What a page sends later is refused by the kernel.
            self._call.kernel_said(said, said.ms)
            return
        left = STOP_S - (time.perf_counter() - began)
        done = self._done()
        await asyncio.wait({done}, timeout=max(0.0, left))
        if done.done():
            self._call.kernel_said(said, round((time.perf_counter() - began) * 1000, 3))
            self._keep_late()
            return
        self._call.kernel_said(said)
        self._call.leave(self._leave(self._told_late(done, said, began)))

    def _keep_late(self) -> asyncio.Task[None] | None:
        """Keep what no page has sent, or has any more, and nobody waits for any more."""
        end = self._end
        is_missed = self.from_here or (self._is_sent and not self._call.has_page)
        if is_missed and end.done() and not end.cancelled() and end.exception() is None:
            return self._tasks.run(self._keep(end.result()))
        return None

    def _done(self) -> asyncio.Future[Any]:
        """Return what is done once nothing of this run can be running."""
        if self._is_sent:
            return self._end
        # It may have been sent by a page of which nobody has heard since: then its end is not
        # known, but that the kernel has nothing to do is.
        return self._tasks.run(_first_of(self._end, self._tasks.run(self._kernel.idle())))

    def _told_late(
        self, done: asyncio.Future[Any], said: Interrupted, began: float
    ) -> asyncio.Future[Any]:
        """Have the receipt tell when the kernel was done with it; return what is done then."""

        async def tell() -> None:
            await asyncio.wait({done})
            self._call.kernel_said(said, round((time.perf_counter() - began) * 1000, 3))

        return self._tasks.run(tell())

    def _leave(self, done: asyncio.Future[Any] | None = None) -> asyncio.Task[None]:
        """Keep the kernel until the run ends, behind the call; return what is done then."""
        self.is_left = True
        return self._tasks.run(self._to_its_end(done or self._end))

    async def _to_its_end(self, done: asyncio.Future[Any]) -> None:
        try:
            await asyncio.wait({done})
            # Before it is told that it has ended: a page looks for it then.
            if (keeping := self._keep_late()) is not None:
                await keeping
        finally:
            self._over()
            await self._using.close()


async def _first_of(*work: asyncio.Future[Any]) -> None:
    try:
        await asyncio.wait(work, return_when=FIRST)
    finally:
        for each in work:
            each.cancel()
