"""What stands between a session of the SDK's and its transport: the last step before a request.

The SDK keeps the id of a request to itself until its answer, and a cancel needs it; and a call may
begin only if its reply was not stopped, in the very step in which it is handed over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from anyio import ClosedResourceError, EndOfStream
from mcp import types
from mcp.shared.message import SessionMessage

#: Told the id of the request that is about to be sent in this context; it may raise.
SENT: ContextVar[Callable[[types.RequestId], None] | None] = ContextVar("SENT", default=None)
#: In a session's own tasks: what the SDK logs there holds what servers say, and addresses.
QUIET: ContextVar[bool] = ContextVar("QUIET", default=False)
#: Who logs there; `client` is the SDK's name for its session.
_TALKERS = (
    "",
    "client",
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "mcp.client.stdio",
    "mcp.client.streamable_http",
    "mcp.shared._httpx_utils",
)


def silence() -> None:
    """Have what is logged in a session's tasks go nowhere; the session has a log of its own."""
    for name in _TALKERS:
        logger = logging.getLogger(name)
        if _speaks not in logger.filters:
            logger.addFilter(_speaks)


def _speaks(record: logging.LogRecord) -> bool:
    return not QUIET.get()


class _Stream:
    """A stream of the transport's."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class Sending(_Stream):
    """What a session says."""

    async def send(self, message: SessionMessage) -> None:
        """Hand a message over, unless who sends it may not any more."""
        about_to = SENT.get()
        if about_to is not None and isinstance(message.message.root, types.JSONRPCRequest):
            about_to(message.message.root.id)
        await self._inner.send(message)


class Reading(_Stream):
    """What a session reads; the transport's own stream is read on behind its end.

    :param ended: told when there is nothing more.
    :param broken: told of what was no message.
    """

    def __init__(
        self, inner: Any, ended: Callable[[], None], broken: Callable[[Exception], None]
    ) -> None:
        super().__init__(inner)
        self._ended = ended
        self._broken = broken

    async def aclose(self) -> None:
        """Leave it to the transport."""

    def __aiter__(self) -> Reading:
        return self

    async def __anext__(self) -> SessionMessage:
        while True:
            try:
                said = await self._inner.receive()
            except (EndOfStream, ClosedResourceError):
                self._ended()
                raise StopAsyncIteration from None
            if isinstance(said, SessionMessage):
                return said
            self._broken(said)
