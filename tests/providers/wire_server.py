"""A server that sends what providers send, word for word."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.aids.ports import Listening

#: A place in a body at which it waits.
WAIT = b"<wait>"


class WireProvider(Listening):
    """A server that answers with what it is given, head and body, in this order.

    A line `Then: hold` in a head holds the connection open behind the body, `Then: reset` cuts it.

    :param cut: how a body is cut: `whole`, `lines`, `pieces` of a few bytes, or `bytes`.
    :ivar answers: what it answers with.
    :ivar go_on: what a body waits for at each `WAIT`.
    """

    def __init__(self, cut: str = "whole") -> None:
        self.answers: list[bytes] = []
        self.cut = cut
        self.go_on = asyncio.Event()
        self.waits = asyncio.Event()
        self.gone = asyncio.Event()
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests until the client is gone."""
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is gone
        finally:
            self.gone.set()
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(asked.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        self.requests.append(json.loads(await reader.readexactly(length)))
        head, _, body = self.answers.pop(0).partition(b"\n\n")
        lines = head.decode().split("\n")
        then = next((line.partition(": ")[2] for line in lines if line.startswith("Then:")), "")
        lines = [line for line in lines if not line.startswith("Then:")]
        writer.write("\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode())
        for piece in self._pieces(body):
            if piece == WAIT:
                self.waits.set()
                await self.go_on.wait()
                continue
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(0)
        if then == "hold":
            await reader.read()
            return False
        if then == "reset":
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    def _pieces(self, body: bytes) -> list[bytes]:
        if WAIT in body:
            parts = body.split(WAIT)
            return [each for part in parts for each in (part, WAIT) if each][:-1]
        if self.cut == "whole":
            return [body]
        if self.cut == "lines":
            return body.splitlines(keepends=True)
        size = 1 if self.cut == "bytes" else 7
        return [body[at : at + size] for at in range(0, len(body), size)]
