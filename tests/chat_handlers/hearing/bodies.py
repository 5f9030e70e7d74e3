"""Bodies of responses in memory, and a client library that reads them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2

from jupyter_stop_chat.chat_handlers.hearing import Hearing, hear, listen

STREAM = {"content-type": "text/event-stream"}


class Body(httpx2.AsyncByteStream):
    """A body that comes in pieces; an exception breaks it, an event is waited for.

    :ivar taken: how many bytes were read of it.
    :ivar closed: how often it was closed.
    :ivar over: nobody reads it any more.
    """

    def __init__(self, pieces: Sequence[bytes | Exception | asyncio.Event]) -> None:
        self._pieces = pieces
        self.taken = self.closed = 0
        self.over = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for piece in self._pieces:
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, asyncio.Event):
                    await piece.wait()
                    continue
                self.taken += len(piece)
                yield piece
        finally:
            self.over.set()

    async def aclose(self) -> None:
        self.closed += 1


class Answering(httpx2.AsyncBaseTransport):
    """What answers each request with a body."""

    def __init__(self, body: Body, headers: dict[str, str]) -> None:
        self._body = body
        self._headers = headers

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers=self._headers, stream=self._body, request=request)


def client_of(
    body: Body, hearing: Hearing | None = None, headers: dict[str, str] = STREAM
) -> httpx2.AsyncClient:
    """Return a client that is answered with a body, and listened to."""
    client = httpx2.AsyncClient(transport=Answering(body, headers))
    hear(hearing or Hearing())
    listen(client)
    return client


def chunk(content: str | None = None, finish: object = None, **more: Any) -> bytes:
    """Return an event of OpenAI's chat completions."""
    return raw_chunk("null" if content is None else json.dumps(content), finish, **more)


def raw_chunk(content: str | bytes, finish: object = None, **more: Any) -> bytes:
    """Return an event with a content as it is written there."""
    content = content.encode() if isinstance(content, str) else content
    choice = {"index": 0, "delta": {"content": 0}, "finish_reason": finish}
    data = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    written = json.dumps({**data, "choices": [choice], **more}).encode()
    return b"data: " + written.replace(b'"content": 0', b'"content": ' + content) + b"\n\n"


DONE = b"data: [DONE]\n\n"
