"""What a kernel tells everybody: what it is busy with, and what the cells show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable

from jupyter_stop_chat.ports.kernels import RunOutcome

from .heard import Heard
from .outputs import Outputs
from .request import Request

#: Of requests that nobody has claimed yet, so many are kept: a person may run all cells before a
#: page far away says which one it has sent. The first of them are, each with so many characters,
#: and the others with so many.
MOST_UNCLAIMED, MOST_LARGE = 1000, 32
MOST_OF_UNCLAIMED, LEAST_OF_UNCLAIMED = 256 * 1024, 4096
#: More requests than that are not busy at once: their end was not heard.
MOST_BUSY = 1000
#: What is answered on the control channel, beside whatever cell runs.
_CONTROL = frozenset({"debug_request", "interrupt_request", "shutdown_request", "usage_request"})


class Iopub:
    """What is known of a kernel from what it tells everybody.

    :param own: the session of who listens.
    :param over: called where the kernel's life has ended: how, and which request told of it; that
        one is of the life after.
    :param life: returns what is another for each life, where that is known.
    :ivar session: the kernel's: another one after each start.
    :ivar heard_at: when something was heard last; None: never yet.
    :ivar taken_up: so many requests of others the kernel has taken up.
    :ivar watched: so many runs are watched whose requests are not known yet.
    """

    def __init__(
        self, own: str, over: Callable[[RunOutcome, str], None], life: Callable[[], Hashable]
    ) -> None:
        self._own = own
        self._over = over
        self._life = life
        self._busy: dict[str, str] = {}
        self._idle: dict[str, asyncio.Future[None]] = {}
        self._stirred: list[asyncio.Future[None]] = []
        self._requests: dict[str, Request] = {}
        self._claimed: set[str] = set()
        self.session: str | None = None
        self.heard_at: float | None = None
        self.watched = 0
        self.taken_up = 0

    async def hear(self, heard: Heard) -> None:
        """Take a message."""
        self.heard_at = time.monotonic()
        if heard.kind == "shutdown_reply":
            again = (await heard.content()).get("restart")
            self._over("restarted" if again else "died", heard.parent)
        elif heard.session not in {"", self.session, heard.parent_session}:
            # Some kernels answer in the name of whoever asks: that tells nothing of them.
            before, self.session = self.session, heard.session
            if before is not None:
                self._over("restarted", heard.parent)
        if heard.kind == "status":
            await self._status(heard)
        elif (request := self._requests.get(heard.parent)) is not None:
            await request.hear(heard)

    async def _status(self, heard: Heard) -> None:
        state = str((await heard.content()).get("execution_state"))
        if state in {"starting", "restarting", "dead"}:
            # A gateway says so; a kernel itself begins with "starting", in another session.
            if state != "starting":
                self._over("died" if state == "dead" else "restarted", heard.parent)
            return
        request = self._request(heard, state)
        if state == "busy":
            if self._counts(heard):
                self.taken_up += 1
                self._busy[heard.parent] = heard.parent_kind
                while len(self._busy) > MOST_BUSY:
                    del self._busy[next(iter(self._busy))]
            if request is not None:
                request.life = self._life()
                request.taken.set()
        elif state == "idle":
            self._busy.pop(heard.parent, None)
            if (waits := self._idle.pop(heard.parent, None)) is not None and not waits.done():
                waits.set_result(None)
            if request is not None:
                request.ended.set()
        self._stir()

    def _counts(self, heard: Heard) -> bool:
        """Tell whether a message is of something that keeps others from running."""
        return (
            heard.parent_session != self._own
            and heard.subshell is None
            and heard.parent_kind not in _CONTROL
            and not heard.parent_kind.startswith("stop_chat_")
            and not heard.parent_kind.endswith("_subshell_request")
        )

    def _request(self, heard: Heard, state: str) -> Request | None:
        """Return what is known of the request that a status is about, if that may be a run's.

        What is told later of what began before is of no run that is watched.
        """
        found = self._requests.get(heard.parent)
        if found is None and self.watched and heard.parent_kind == "execute_request":
            if heard.parent_session == self._own or not heard.parent or state != "busy":
                return None
            unclaimed = [each for each in self._requests if each not in self._claimed]
            most = MOST_OF_UNCLAIMED if len(unclaimed) < MOST_LARGE else LEAST_OF_UNCLAIMED
            found = self._requests[heard.parent] = Request(heard.parent, Outputs(most))
            for each in unclaimed[: max(len(unclaimed) + 1 - MOST_UNCLAIMED, 0)]:
                del self._requests[each]
        return found

    def claim(self, msg_id: str) -> Request:
        """Return what is known, and will be, of a run's request."""
        request = self._requests.get(msg_id) or Request(msg_id, Outputs())
        request.outputs.most = Outputs().most
        if not request.taken.is_set():
            request.life = self._life()
        self._requests[msg_id] = request
        self._claimed.add(msg_id)
        return request

    def watch(self) -> None:
        """Keep what is told of requests that are not known: one is a run's."""
        self.watched += 1

    def unwatch(self) -> None:
        """Do that for one run less."""
        self.watched -= 1
        if not self.watched:
            self._requests = {each: self._requests[each] for each in self._claimed}

    def forget(self, msg_id: str) -> None:
        """Know no more of a request."""
        self._claimed.discard(msg_id)
        self._requests.pop(msg_id, None)

    def others(self, *but: str) -> list[str]:
        """Return the ids of what the kernel is busy with, for others than who listens."""
        return [each for each in self._busy if each not in but]

    def nothing_before(self) -> None:
        """Take it that all has ended which was told of before, whether that was heard or not."""
        self._busy.clear()

    async def idle_of(self, msg_id: str) -> None:
        """Wait until the kernel tells that it is done with a request."""
        waits = self._idle.setdefault(msg_id, asyncio.get_running_loop().create_future())
        try:
            await waits
        finally:
            self._idle.pop(msg_id, None)

    async def silence(self, seconds: float) -> None:
        """Wait until nothing was heard for so many seconds."""
        left = seconds
        while left > 0:
            await asyncio.sleep(left)
            left = (self.heard_at or 0.0) + seconds - time.monotonic()

    async def stirred(self) -> None:
        """Wait until the kernel takes something up, or is done with something."""
        waits: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stirred.append(waits)
        await waits

    def _stir(self) -> None:
        stirred, self._stirred = self._stirred, []
        for each in stirred:
            if not each.done():
                each.set_result(None)
