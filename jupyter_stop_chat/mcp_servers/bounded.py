"""What is read of an answer over HTTP: no more than a message may have, and to its end."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import httpx

#: The longest message that is read over HTTP, in bytes; a process's is made shorter before.
LONGEST_MESSAGE = 4 * 1024 * 1024
#: So many lists and objects of one are read: the SDK makes each on the loop.
MOST_PARTS = 20_000
_EVENTS = "text/event-stream"
#: What ends a message among several: a line without anything in it.
_ENDS = (b"\n\n", b"\n\r", b"\r\r")
#: So many messages of one answer are read in a second, on the average.
MOST_IN_A_SECOND = 1000
_TOKEN = re.compile(rb'\\.|["\[{\r\n]', re.DOTALL)


class UnreadableError(Exception):
    """A failure: an answer over HTTP was longer than is read, or is packed."""


class Bounded(httpx.AsyncByteStream):
    """What is read of an answer, unless one message of it is too long.

    :param lost: told when it broke off, where somebody waits for it: the SDK would for ever.
    """

    def __init__(self, response: httpx.Response, lost: Callable[[Exception], None]) -> None:
        self._inner = cast("httpx.AsyncByteStream", response.stream)
        self._lost = lost if response.request.method == "POST" else None
        self._packed = response.headers.get("content-encoding", "identity") != "identity"
        self._has_events = _EVENTS in response.headers.get("content-type", "").lower()
        self._weight = _Weight()
        self._tail = b""
        #: When what was read is no more than may be by then.
        self._even = 0.0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for some in self._inner:
                if self._packed:
                    raise UnreadableError
                count = self._look_at(some)
                yield some
                await self._pause(count)
        except Exception as error:
            if self._lost is not None:
                self._lost(error)
            raise

    async def _pause(self, count: int) -> None:
        """Leave the loop to others, where so many messages were too many."""
        now = time.monotonic()
        self._even = max(now - 1, self._even) + count / MOST_IN_A_SECOND
        if self._even > now:
            await asyncio.sleep(self._even - now)

    def _look_at(self, some: bytes) -> int:
        """Count what one message has; return how many messages end here.

        :raises UnreadableError: it is too much.
        """
        if not self._has_events:
            self._weight.add(some)
            return 0
        some, had = self._tail + some, len(self._tail)
        end = max(some.rfind(each) for each in _ENDS)
        self._weight.add(some[had : max(had, end)])
        if end >= 0:
            self._weight = _Weight()
        self._weight.add(some[max(had, end) :])
        self._tail = some[-4:]
        return sum(some.count(each, max(0, had + 1 - len(each))) for each in _ENDS)

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()


class _Weight:
    """What counts the bytes of a message, and its lists and objects."""

    def __init__(self) -> None:
        self._bytes = self._parts = 0
        self._in_text = False
        self._left = b""

    def add(self, some: bytes) -> None:
        """Count more of it.

        :raises UnreadableError: it is too much.
        """
        self._bytes += len(some)
        if self._bytes > LONGEST_MESSAGE:
            raise UnreadableError
        some = self._left + some
        # What makes of the next sign another one waits for that.
        odd = (len(some) - len(some.rstrip(b"\\"))) % 2
        self._left = some[len(some) - odd :]
        for token in _TOKEN.findall(some[: len(some) - odd]):
            if token == b'"':
                self._in_text = not self._in_text
            elif token in b"\r\n":  # no text goes on behind a line's end
                self._in_text = False
            elif token in b"[{" and not self._in_text:
                self._parts += 1
        if self._parts > MOST_PARTS:
            raise UnreadableError


def asked(request: httpx.Request) -> Any:
    """Return the id of what was asked; None: it was told, and nobody waits."""
    if request.method != "POST":
        return None
    message = json.loads(request.content)
    return message.get("id") if "method" in message else None
