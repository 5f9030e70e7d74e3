"""The end of a WebSocket that a test opened."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tornado.iostream import IOStream
from tornado.websocket import WebSocketClientConnection

#: Seconds between two looks whether the server has closed it as well.
LOOK_S = 0.05


def stream_of(socket: WebSocketClientConnection) -> IOStream | None:
    """Return what carries an open socket; None if the test has closed it."""
    return socket.protocol.stream if socket.protocol is not None else None


async def end(socket: WebSocketClientConnection, stream: IOStream | None = None) -> None:
    """Close a socket, and wait until both sides have.

    What has come and was not read keeps the client from hearing that the server has closed: it is
    read. What is left open is closed as garbage, in the middle of another test, which then fails.

    :param stream: what carries it, for one that the test may have closed before.
    """
    stream = stream or stream_of(socket)
    socket.close()
    while stream is not None and not stream.closed():
        with suppress(TimeoutError):
            await asyncio.wait_for(socket.read_message(), LOOK_S)
    await asyncio.sleep(0)  # what reads the stream hears of it
