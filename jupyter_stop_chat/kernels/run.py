"""One run of a cell, from before it is sent to its end."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from jupyter_stop_chat.ports.kernels import Interrupted, KernelError, RunEnd, RunOutcome

from .interrupt import by_mark, interrupt, interrupt_plainly

if TYPE_CHECKING:
    from .connection import Connection
    from .request import Request

#: A request that the kernel is not heard to take up in so many seconds has been taken up unheard.
UNHEARD_S = 10.0
#: A kernel says so of a run that it has begun with.
_RAN = frozenset({"ended", "raised", "handler", "pending"})
#: What a kernel tells of a run may be so many seconds behind its answers, where it told much.
#: Where that was lost, nothing more comes after so many in which nothing comes at all.
BEHIND_S, QUIET_S = 3.0, 0.3


class LiveRun:
    """A run in a kernel of this server.

    :ivar request: what was heard of it, once it is known by which message it was sent.
    :ivar stopped: it was to be interrupted.
    """

    def __init__(self, connection: Connection, mark: str) -> None:
        self.mark = mark
        self.request: Request | None = None
        self.stopped = False
        self._connection = connection
        self._end: asyncio.Future[RunEnd] = asyncio.get_running_loop().create_future()
        self._interrupting: asyncio.Task[Interrupted] | None = None

    @property
    def over(self) -> bool:
        """Tell whether it has ended."""
        return self._end.done()

    def sent(self, msg_id: str) -> None:
        """Note by which message somebody else sent it."""
        if self.request is not None or self.over:
            return
        self.request = self._connection.iopub.claim(msg_id)
        self._connection.iopub.unwatch()
        self.request.on_begin = self._begins
        if self.request.begun:
            self._begins()
        self._connection.run_in_background(self._follow(self.request))

    async def taken_up(self) -> None:
        """Wait until the kernel has come to it, once it is sent."""
        if self.request is not None:
            await self.request.taken.wait()

    async def ended(self) -> RunEnd:
        """Wait until the kernel is done with it, and tell how it ended; for all who ask."""
        return await asyncio.shield(self._end)

    async def interrupt(self) -> Interrupted:
        """End this run and no other, and tell what the kernel says, within half a second."""
        self.stopped = True
        began = time.monotonic()
        answer, exact = await interrupt(self._connection, self)
        return Interrupted(answer, round((time.monotonic() - began) * 1000, 1), exact)

    def so_far(self) -> RunEnd:
        """Return what it has shown by now."""
        if self.over:
            return self._end.result()
        return self.request.told("done") if self.request is not None else RunEnd("done")

    def settle(self, outcome: RunOutcome | None = None) -> None:
        """Tell all who wait how it ended.

        :param outcome: where that cannot be seen from what was heard.
        """
        if self.over:
            return
        if self.request is None:
            self._connection.iopub.unwatch()
            end = RunEnd(outcome or "refused")
        else:
            end = self.request.told(outcome, stopped=self.stopped)
            self._connection.iopub.forget(self.request.msg_id)
            self.request.ended.set()
        self._end.set_result(end)
        self._connection.run_is_over(self)

    def drop(self) -> None:
        """Watch for it no more, where it was not sent: what comes of it later is not heard."""
        if self.request is None:
            self.settle("refused")

    def _begins(self) -> None:
        """Interrupt it as it begins, where it was stopped and the kernel cannot refuse it."""
        if self.stopped and not self._connection.exact:
            self._connection.run_in_background(interrupt_plainly(self._connection, self))

    async def _follow(self, request: Request) -> None:
        proof = self._connection.run_in_background(self._proof(request))
        try:
            await request.ended.wait()
        finally:
            proof.cancel()
        if not request.begun and await self._has_run():
            request.begun = True
        self.settle()

    async def _has_run(self) -> bool:
        """Tell whether it ran, and was not heard to begin: it must not be run once more then.

        One that has not is refused from now on.
        """
        if not self._connection.exact or self.stopped:
            return False
        return await by_mark(self._connection, self.mark) in _RAN

    async def _proof(self, request: Request) -> None:
        """Have the kernel answer something that waits behind the run: then that is over.

        What a kernel tells everybody may be lost, where it tells more than is taken from it.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(request.taken.wait(), UNHEARD_S)
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        ask = self._connection.ask("shell", "kernel_info_request", {}, told=told)
        asked = asyncio.ensure_future(ask)
        try:
            # What a kernel tells comes in its order: what is on its way of the run, before this.
            idle = asyncio.ensure_future(self._connection.iopub.idle_of(await told))
            try:
                with suppress(KernelError):
                    await asked
                    await asyncio.wait({idle}, timeout=BEHIND_S)
                    if not idle.done():
                        await self._connection.iopub.silence(QUIET_S)
                    request.ended.set()
            finally:
                idle.cancel()
        finally:
            asked.cancel()
