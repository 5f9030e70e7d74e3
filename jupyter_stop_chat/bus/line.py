"""The line to Redis: kept, watched, and made anew whenever it breaks."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import random
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_stop_chat.ports.peers import NotReachedError
from jupyter_stop_chat.settings.bus_url import BusUrl
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.times import now

from .channels import Channels
from .messages import MOST_BYTES
from .outgoing import Outgoing, Waiting

if TYPE_CHECKING:
    from .clients import Link

log = logging.getLogger(__name__)

#: After such pauses it is tried again, the last one over and over; in seconds.
PAUSES = (0.0, 0.1, 0.3, 0.7, 1.5)
#: Of these, the one that follows at most where it could be connected, but soon broke.
SOON = 2
#: After such a pause where Redis refuses us: only its operator can change that.
REFUSED_PAUSE = 10.0
#: A line that lasted so long was a good one: its loss is no sign of more to come.
GOOD_SECONDS = 3.0
#: After so many lines that broke soon, one after another, it is said.
MANY_BREAKS = 10
#: To connect may take so long.
CONNECT_SECONDS = 3.0
#: A cancel that did nothing is said again after so long, in seconds.
CANCEL_SECONDS = 0.5
#: When nothing is heard, or sent, for so long, Redis is asked whether it is there.
SILENT_SECONDS = 2.0
#: So long what is heard is worked on in one step of the loop, and so many messages.
STEP_SECONDS = 0.005
STEP_MESSAGES = 50


class Hearing(Protocol):
    """What hears what comes by the line."""

    def hear(self, channel: bytes, data: bytes) -> None:
        """Hear a message."""
        ...

    def missed(self) -> None:
        """Note that something may not have been heard until now."""
        ...

    def broke(self) -> None:
        """Note that nothing is heard and sent for a while."""
        ...

    def reached(self, reached: bool) -> None:
        """Note that Redis is away for longer, or is back."""
        ...


class Line:
    """What hears some channels of a Redis and sends commands to it.

    :param sleep: how to wait, in seconds.
    """

    def __init__(
        self,
        url: BusUrl,
        channels: Channels,
        outgoing: Outgoing,
        hearing: Hearing,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._url = url
        self._channels = channels
        self._outgoing = outgoing
        self._hearing = hearing
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._told: str | None = None
        self._up = asyncio.Event()
        #: All is heard and sent.
        self.is_up = False
        #: Redis is away for longer than it takes to connect again.
        self.is_away = False
        #: Since when it is not up.
        self.down_since: str | None = None
        self.counts_receivers = url.kind != "cluster"

    def open(self) -> None:
        """Connect, again and again."""
        self.down_since = now()
        self._task = asyncio.create_task(self._keep(), name="stop-chat-redis")

    async def close(self) -> None:
        """Let go of the connections."""
        task, self._task = self._task, None
        while task is not None and not task.done():
            # One that comes along with an error is lost in redis-py.
            task.cancel()
            await asyncio.wait({task}, timeout=CANCEL_SECONDS)
        if self._closing:
            await asyncio.wait(self._closing)

    async def is_up_soon(self, seconds: float) -> bool:
        """Tell whether it is up, or is again after a break that was short."""
        if not self.is_away:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._up.wait()
        return self.is_up

    # --- one connection after another --------------------------------------------------------

    async def _keep(self) -> None:
        try:
            clients = await in_thread(importlib.import_module, f"{__package__}.clients")
        except Exception:
            log.exception("the package redis cannot be used: other servers are reached late")
            self._go_away()
            return
        loop = asyncio.get_running_loop()
        tries = breaks = 0
        for turn in count():
            error: BaseException
            self._began_at: float | None = None
            try:
                await self._once(clients, turn)
            except clients.FAILURES as failed:
                error = failed
            except Exception as failed:
                error = failed
                log.exception("what hears of other servers failed, and begins anew")
            if self._task is None:
                return
            # A right may be missed only when it is needed.
            if self._began_at is None or clients.is_refusal(error):
                self._note_away(clients, error)
            elif loop.time() - self._began_at > GOOD_SECONDS:
                tries = breaks = 0
            else:  # it may break at once again and again
                tries = min(tries, SOON)
                breaks += 1
                if breaks == MANY_BREAKS:
                    reason = clients.reason_of(error)
                    log.warning("Redis can be reached, but breaks off again and again: %s", reason)
            pause = PAUSES[min(tries, len(PAUSES) - 1)]
            tries += 1
            if clients.is_refusal(error):
                pause = REFUSED_PAUSE
            # Not all servers of a hub at once.
            await self._sleep(pause * random.uniform(0.7, 1.0))

    async def _once(self, clients: Any, turn: int) -> None:
        """Connect, and hear and send until that breaks.

        :raises Exception: why it broke.
        """
        link: Link | None = None
        working: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                link = await clients.connect(self._url, turn)
                assert link is not None
                first = await link.open(self._channels.all())
            self._begin()
            self._take(first)
            # No `TaskGroup`: each that breaks leaves a cancel behind in the task that keeps the
            # line, in which before Python 3.11.3 no `asyncio.timeout` ends as one any more.
            working = [
                asyncio.create_task(self._listen(link), name="stop-chat-redis-hears"),
                asyncio.create_task(self._send(link, clients), name="stop-chat-redis-sends"),
            ]
            broken, _ = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
            for each in working:
                if each in broken:
                    each.result()
        finally:
            self._end()
            if link is not None:
                closing = asyncio.create_task(
                    self._let_go(link, working), name="stop-chat-redis-closes"
                )
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
                # A cancel must not leave connections behind.
                await asyncio.shield(closing)

    @staticmethod
    async def _let_go(link: Link, working: list[asyncio.Task[None]]) -> None:
        """End what works with the connections, and close them."""
        left = {*working}
        for each in left:
            each.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=CANCEL_SECONDS)
        await link.close()
        while left:  # one whose cancel was lost finds no connection, or loses not every cancel
            for each in left:
                each.cancel()
            _, left = await asyncio.wait(left, timeout=CANCEL_SECONDS)
        for each in working:
            if not each.cancelled():
                each.exception()  # the first of them is told of, and they broke together

    def _begin(self) -> None:
        self._began_at = asyncio.get_running_loop().time()
        self.is_up, self.down_since, self._told = True, None, None
        self._up.set()
        self._outgoing.open()
        self._safely(self._hearing.missed)
        if self.is_away:
            self.is_away = False
            log.info("Redis is there again: other servers are reached at once")
            self._safely(self._hearing.reached, True)

    def _end(self) -> None:
        if not self.is_up:
            return
        self.is_up, self.down_since = False, now()
        self._up.clear()
        self._channels.lose()
        self._outgoing.shut()
        self._safely(self._hearing.broke)

    def _note_away(self, clients: Any, error: BaseException) -> None:
        reason = clients.reason_of(error)
        if reason != self._told:
            self._told = reason
            log.warning(
                "Redis is of no use: %s. Other servers are reached late until then", reason
            )
        self._go_away()

    def _go_away(self) -> None:
        if not self.is_away:
            self.is_away = True
            self._safely(self._hearing.reached, False)

    # --- what is heard -----------------------------------------------------------------------

    async def _listen(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        began, heard, asked = loop.time(), 0, False
        while True:
            message = await link.next(SILENT_SECONDS)
            if message is None:
                if asked:
                    raise TimeoutError("nothing is heard")
                asked = True
                await link.ping()
                continue
            asked = False
            self._take(message)
            heard += 1
            if heard >= STEP_MESSAGES or loop.time() - began > STEP_SECONDS:
                # What has arrived is read without a pause: others on the loop need one.
                await asyncio.sleep(0)
                began, heard = loop.time(), 0

    def _take(self, message: dict[str, Any]) -> None:
        kind, channel, data = message["type"], message.get("channel"), message.get("data")
        if kind == "subscribe" and isinstance(channel, bytes):
            if self._channels.confirm(channel):
                self._safely(self._hearing.missed)
        elif kind == "message" and isinstance(channel, bytes) and isinstance(data, bytes):
            if len(data) > MOST_BYTES:
                log.warning("a message of %d bytes from another server is left out", len(data))
            else:
                self._safely(self._hearing.hear, channel, data)

    # --- what is sent ------------------------------------------------------------------------

    async def _send(self, link: Link, clients: Any) -> None:
        while True:
            await self._outgoing.wait(SILENT_SECONDS)
            for heard, channels in self._channels.take_changes():
                await link.hear(channels, heard)
            waiting = self._outgoing.take()
            try:
                await self._execute(link, waiting, clients)
            finally:
                self._outgoing.done()

    async def _execute(self, link: Link, waiting: list[Waiting], clients: Any) -> None:
        """Send what waits, or else ask whether Redis is there and takes writes."""
        answers: list[Any] = [NotReachedError()] * len(waiting)
        try:
            async with asyncio.timeout(clients.ANSWER_SECONDS):
                if waiting:
                    answers = await link.execute([each.command for each in waiting])
                else:
                    await link.check()
        finally:
            for each, answer in zip(waiting, answers, strict=True):
                self._safely(each.then, answer)
        for answer in answers:
            link.refuse(answer)

    def _safely(self, call: Callable[..., None], *args: Any) -> None:
        """Call what is not ours: what it raises must not end what hears."""
        try:
            call(*args)
        except Exception:
            log.exception("what another server told could not be taken in")
