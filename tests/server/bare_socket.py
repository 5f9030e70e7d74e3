"""A client of the socket that says byte by byte what it likes."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

#: So long a test waits for what must come; it never decides whether a test is right.
PATIENCE = 20.0
FIN, PACKED, TEXT, CLOSE = 0x80, 0x40, 1, 8
_TAIL = b"\0\0\xff\xff"


class BareSocket:
    """What opens a WebSocket and reads and writes its frames, without a library's manners.

    :ivar extensions: what the server agreed to.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.extensions = ""
        self._unpack: Any = None

    @classmethod
    async def connect(cls, port: int, path: str, headers: dict[str, str]) -> BareSocket:
        """Open the socket; where it is not opened, that fails."""
        made = cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**22))
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        made._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        coming = made._reader.readuntil(b"\r\n\r\n")
        try:
            head = (await asyncio.wait_for(coming, PATIENCE)).decode()
            assert " 101 " in head.splitlines()[0], head
        except BaseException:
            await made.close()
            raise
        for line in head.splitlines():
            name, _, value = line.partition(": ")
            if name.lower() == "sec-websocket-extensions":
                made.extensions = value
        made._unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        return made

    async def send(self, data: bytes, first: int = FIN | TEXT) -> None:
        """Send one frame as it is."""
        size = len(data)
        length = bytes([0x80 | size]) if size < 126 else b"\xff" + size.to_bytes(8, "big")
        head = bytes([first]) + length + bytes(4)  # a mask of zeros
        self._writer.write(head + data)
        await self._writer.drain()

    async def read(self) -> dict[str, Any] | None:
        """Read the next text; None: the socket was closed."""
        try:
            first, size = await self._exactly(2)
            if size == 126:
                size = int.from_bytes(await self._exactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self._exactly(8), "big")
            data = await self._exactly(size)
        except asyncio.IncompleteReadError:
            return None
        if first & 15 == CLOSE:
            return None
        if first & PACKED:
            if "server_no_context_takeover" in self.extensions:
                self._unpack = zlib.decompressobj(-zlib.MAX_WBITS)
            data = self._unpack.decompress(data + _TAIL)
        frame: dict[str, Any] = json.loads(data)
        return frame

    async def until(self, type_: str) -> dict[str, Any]:
        """Read on until a frame of that type comes."""
        while (frame := await self.read()) is not None:
            if frame["type"] == type_:
                return frame
        raise AssertionError("the socket was closed")

    async def close(self) -> None:
        """Cut the connection."""
        self._writer.close()
        await asyncio.wait({asyncio.ensure_future(self._writer.wait_closed())})

    async def _exactly(self, size: int) -> bytes:
        return await asyncio.wait_for(self._reader.readexactly(size), PATIENCE)


def packed(data: bytes, *, is_last: bool = False) -> bytes:
    """Compress a frame's content.

    :param is_last: it says that nothing more comes, as RFC 7692 (7.2.3.4) allows.
    """
    made = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    if is_last:
        return made.compress(data) + made.flush(zlib.Z_FINISH) + b"\0"
    return (made.compress(data) + made.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)
