"""A reader of server-sent events with a connection of its own."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

#: So long a test waits for what must come; it never decides whether a test is right.
PATIENCE = 20.0


class EventReader:
    """What reads server-sent events as slowly as a test likes, and leave when it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self.comments = 0

    @classmethod
    async def post(
        cls, port: int, path: str, headers: dict[str, str], body: dict[str, Any]
    ) -> EventReader:
        """Send a request and read the head of its answer."""
        plug = socket.socket()
        plug.setblocking(False)
        # Else the system would read some megabytes for a reader that does not.
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=plug, limit=2**16)
        content = json.dumps(body).encode()
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Accept: text/event-stream",
            f"Content-Length: {len(content)}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        made = cls(reader, writer)
        raw = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        first, *rest = raw.decode().strip().split("\r\n")
        made.status = int(first.split()[1])
        made.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in rest)
        }
        return made

    async def events(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yield each event's name and content, to the end of the stream."""
        text = ""
        while (chunk := await asyncio.wait_for(self._chunk(), PATIENCE)) is not None:
            text += chunk
            while "\n\n" in text:
                event, _, text = text.partition("\n\n")
                if event.startswith(":"):
                    self.comments += 1
                    continue
                name, data = event.split("\n")
                yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    async def _chunk(self) -> str | None:
        size = int((await self._reader.readuntil(b"\r\n")).strip(), 16)
        data = await self._reader.readexactly(size + 2)
        return data[:-2].decode() if size else None

    def close(self) -> None:
        """Leave without a word."""
        self._writer.transport.abort()


async def begin(reader: EventReader) -> tuple[Any, dict[str, Any]]:
    """Read the first event; return what yields the others, and its content."""
    events = reader.events()
    name, start = await anext(events)
    assert name == "start"
    return events, start
