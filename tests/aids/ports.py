"""Ports for what tests start, and what listens on one."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self

import pytest
from tornado.netutil import bind_sockets

#: What serves one connection.
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def free_port() -> int:
    """Find a loopback port that nobody listens on, and that the system gives to nobody either.

    Linux gives those from 32768 on to whoever connects, also while what listens there is started
    anew: it could not begin, and whoever knows its port would talk to a stranger. Jupyter's
    kernels have theirs there too, and who waits for one that is not up connects again and again.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as made, contextlib.suppress(OSError):
            made.bind(("127.0.0.1", port))
            return port


@pytest.fixture
def http_server_port() -> tuple[socket.socket, int]:
    """Return the socket that a server of Jupyter's in the tests' own process listens on."""
    port = free_port()
    (made,) = bind_sockets(port, "127.0.0.1")
    return made, port


@contextlib.asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """Serve connections on a port, and yield it; behind it none is open, and nothing serves one.

    What a test leaves open is closed as garbage, in the middle of another test, which then fails.
    """
    serving: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        writers.append(writer)
        try:
            with contextlib.suppress(asyncio.CancelledError):  # the test is over
                await serve(reader, writer)
        finally:
            serving.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", free_port())
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)  # a connection that was just taken has its task by then
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await server.wait_closed()


class Listening:
    """What listens on a port while its context lasts.

    :ivar port: which that is.
    """

    port: int

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        self._listening = listening(self.serve)
        self.port = await self._listening.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._listening.__aexit__(kind, error, traceback)
