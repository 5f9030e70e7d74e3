"""A server on loopback that answers as it is told, byte by byte, whatever it is asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.aids.ports import Listening

#: A status and a body, with a type of content and headers where they matter.
Answered = tuple[Any, ...]

_GOOD = (
    b'data: {"choices": [{"index": 0, "delta": {"content": "Good day."}}]}\n\n'
    b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    b"data: [DONE]\n\n"
)


class Answers(Listening):
    """A server whose answers to a prompt depend on how many messages it was sent.

    :param answer: returns a status and a body, or None for a reply as OpenAI streams one.
    """

    def __init__(self, answer: Callable[[int], Answered | None]) -> None:
        self.answer = answer
        self.sent: list[int] = []
        self.lines: list[str] = []

    @property
    def base_url(self) -> str:
        """Return the address that an OpenAI-compatible client is given."""
        return f"http://127.0.0.1:{self.port}/v1"

    def root_for(self, kind: str) -> str:
        """Return the address that a LangChain model of a kind is given."""
        return self.base_url if kind == "openai" else self.base_url.removesuffix("/v1")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        line, *rest = head.split("\r\n")
        self.lines.append(line)
        headers = {
            name.lower(): value.strip()
            for name, _, value in (each.partition(":") for each in rest)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked: Mapping[str, Any] = json.loads(body) if body else {}
        self.sent.append(len(asked.get("messages") or ()))
        told = self.answer(self.sent[-1])
        if told is None:
            told = (200, _GOOD, "text/event-stream")
        status, content, *more = told
        page = isinstance(content, str) and content.lstrip().startswith("<")
        kind = more[0] if more else ("text/html" if page else "application/json")
        extra = "".join(f"{name}: {value}\r\n" for name, value in (more[1:] or [{}])[0].items())
        data = (
            content
            if isinstance(content, bytes)
            else (content.encode() if isinstance(content, str) else json.dumps(content).encode())
        )
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\n{extra}"
            f"Content-Length: {len(data)}\r\n\r\n".encode()
            + data
        )
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()
