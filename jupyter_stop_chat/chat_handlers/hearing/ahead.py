"""Read a response's body ahead, so that what comes while nobody asks for it is taken as one."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from .bounds import PIECES_AT_ONCE

#: So much is read ahead, in bytes: then the provider waits. To read a word costs more than all
#: that is done for it after. So much thirty times a second is twice what the fastest providers
#: say; with four times as much, 64 streams that never wait held up all other requests.
MOST = 16 * 1024


class Ahead:
    """What reads a body in a task of its own, which ends with `close`.

    A body is told in the pieces in which it was sent, which is by the word. Whether another one
    is there can only be found out by reading it, and such a read cannot be given up: that would
    close the connection.

    :param body: the body.
    """

    def __init__(self, body: Any) -> None:
        self._body = body.__aiter__()
        self._held: list[bytes] = []
        self._size = 0
        self._is_over = False
        self._error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        #: Who waits for more, for room, or for a moment.
        self._more: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._moment: asyncio.Future[None] | None = None
        self._task = asyncio.create_task(self._read(), name="stop-chat body")

    async def take(self) -> bytes | None:
        """Return what has come, at least something; None: that was all.

        :raises Exception: the connection broke, and what came before is taken.
        """
        while not self._held:
            if self._error is not None:
                raise self._error
            if self._is_over:
                return None
            self._more = self._loop.create_future()
            await self._more
        taken = b"".join(self._held)
        self._held.clear()
        self._size = 0
        _tell(self._room)
        return taken

    async def wait_until(self, due: float) -> bool:
        """Wait for a moment, unless the body is over before: then nothing more will come.

        :param due: by the loop's clock.
        :returns: whether the moment has come.
        """
        if self._is_over:
            return False
        self._moment = self._loop.create_future()
        timer = self._loop.call_at(due, _tell, self._moment)
        try:
            await self._moment
        finally:
            timer.cancel()
        return not self._is_over

    async def close(self) -> None:
        """Read no more, and return when nothing is being read.

        What is being read is given up, and its connection closed; where nothing was read yet, who
        has the body closes it.
        """
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _read(self) -> None:
        try:
            count = 0
            async for data in self._body:
                self._held.append(data)
                self._size += len(data)
                _tell(self._more)
                count += 1
                if count % PIECES_AT_ONCE == 0:
                    await asyncio.sleep(0)  # they were cut small, and came as one
                if self._size >= MOST:
                    self._room = self._loop.create_future()
                    await self._room
        except Exception as error:  # noqa: BLE001 - it is told to who reads
            self._error = error
        finally:
            self._is_over = True
            _tell(self._more)
            _tell(self._moment)
            # Not all have one, and how a body ends is told by who closes the response.
            if (aclose := getattr(self._body, "aclose", None)) is not None:
                with suppress(Exception):
                    await aclose()


def _tell(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
