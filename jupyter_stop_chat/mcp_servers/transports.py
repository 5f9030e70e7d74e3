"""How a server is reached: a process of its own, or HTTP; neither costs more than it may."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary, WeakSet

import httpx
from anyio import ClosedResourceError, EndOfStream
from mcp import StdioServerParameters
from mcp.client.stdio import get_default_environment, stdio_client
from mcp.client.streamable_http import streamable_http_client

from jupyter_stop_chat.threads import in_thread

from .bounded import Bounded, asked
from .config import ConfigError, Entry

LAUNCHER = Path(__file__).with_name("launcher.py")
#: Seconds within which a server is reached, and within which it says anything at all.
CONNECT_S = 10.0
SILENCE_S = 900.0
#: Seconds between two requests for what a server says of itself, or for the rest of an answer.
STREAM_S = 0.5
#: One task's are so much further apart each time, up to so many seconds.
FURTHER, FURTHEST_S = 1.1, 10.0
#: So often the rest of one answer is asked for: else its server could have it asked for as long as
#: the session lasts, behind a stop as well.
MOST_TURNS = 200
#: Seconds within which the rest of what an ended server said is read.
REST_S = 1.0


@asynccontextmanager
async def streams_of(
    entry: Entry, lost: Callable[[Exception], None], over: Callable[[Any], None]
) -> AsyncIterator[tuple[Any, Any]]:
    """Reach a server: yield what it says and what it is told.

    :param lost: told when an answer over HTTP broke off: the SDK would wait for it for ever.
    :param over: told the id of a request when nothing more comes for it over HTTP, with an answer
        or without.
    :raises ConfigError: its command is not there.
    """
    if entry.url:
        client = await in_thread(partial(_client, entry.headers, lost, over))
        reached = streamable_http_client(entry.url, http_client=client)
        async with client, _read_to_its_end(reached) as streams:
            yield streams
        return
    env = {**get_default_environment(), **entry.env}
    if await in_thread(partial(shutil.which, entry.command[0], path=env.get("PATH"))) is None:
        raise ConfigError("Its command is not installed where the server runs.")
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-I", "-S", str(LAUNCHER), *entry.command],
        env=env,
    )
    # What the server writes there the launcher tells as messages; itself it writes nothing.
    nowhere = cast("Any", subprocess.DEVNULL)
    async with _read_to_its_end(stdio_client(parameters, errlog=nowhere)) as streams:
        yield streams


@asynccontextmanager
async def _read_to_its_end(reached: AbstractAsyncContextManager[Any]) -> AsyncIterator[Any]:
    """Yield the streams of the SDK's context, and read on what is said while that ends.

    The SDK breaks off where nobody does. Once it has closed the stream, the rest is waited for.
    """
    reading: asyncio.Task[None] | None = None
    try:
        async with reached as (said, told, *_):
            try:
                yield said, told
            finally:
                work = _read_on(said)
                reading = asyncio.create_task(work, name="read an MCP server to its end")
    finally:
        if reading is not None:
            try:
                await asyncio.wait({reading}, timeout=REST_S)
            finally:
                reading.cancel()
                # It closes the stream, and nothing of it may be left behind the session.
                with suppress(asyncio.CancelledError):
                    await reading


async def _read_on(said: Any) -> None:
    """Read what nobody needs, until there is no more, and close it."""
    try:
        with suppress(ClosedResourceError, EndOfStream):
            while True:
                await said.receive()
    finally:
        said.close()


class _Pace:
    """What keeps the pause between two requests for a stream, which servers may set to nothing.

    :param further: by what each pause is longer than the one before.
    """

    def __init__(self, further: float = 1.0) -> None:
        self._further = further
        self._gap = STREAM_S
        self._next = 0.0
        self.turns = 0

    async def pause(self) -> None:
        """Return when it is time for the next one."""
        now = time.monotonic()
        late, self._next = self._next - now, max(now, self._next) + self._gap
        self._gap = min(self._gap * self._further, FURTHEST_S)
        self.turns += 1
        if late > 0:
            await asyncio.sleep(late)


def _client(
    headers: Mapping[str, str], lost: Callable[[Exception], None], over: Callable[[Any], None]
) -> httpx.AsyncClient:
    """Make what asks over HTTP. Blocks: it reads certificates."""

    pace = _Pace()
    #: Of each task that asks for streams: one hears, the others wait for an answer.
    paces: WeakKeyDictionary[asyncio.Task[Any], _Pace] = WeakKeyDictionary()
    answers: WeakSet[asyncio.Task[Any]] = WeakSet()

    async def look_at(request: httpx.Request) -> None:
        number = asked(request)
        # What is only told is taken at once: the SDK says nothing else before that.
        if request.method == "DELETE" or (request.method == "POST" and number is None):
            request.extensions["timeout"] = httpx.Timeout(CONNECT_S).as_dict()
        # The SDK has a task for each request, which also looks elsewhere for an answer.
        if number is not None and (task := asyncio.current_task()) is not None:
            task.add_done_callback(lambda _: over(number))
            answers.add(task)
        if request.method == "GET":
            if (own := asyncio.current_task()) is not None:
                of_task = paces.setdefault(own, _Pace(FURTHER))
                if own in answers and of_task.turns >= MOST_TURNS:
                    raise httpx.StreamError("the rest of an answer was asked for too often")
                await of_task.pause()
            await pace.pause()

    async def bound(response: httpx.Response) -> None:
        response.stream = Bounded(response, lost)

    return httpx.AsyncClient(
        # What is packed may be a thousand times as long as it looks.
        headers={"Accept-Encoding": "identity", **headers},
        timeout=httpx.Timeout(CONNECT_S, read=SILENCE_S),
        event_hooks={"request": [look_at], "response": [bound]},
    )
