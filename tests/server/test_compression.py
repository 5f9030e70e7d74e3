"""Frames that are made smaller on their way, and what a client may do with that."""

from __future__ import annotations

import logging
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jupyter_stop_chat.wire.objects import MAX_FRAME_BYTES
from tests.conftest import Client
from tests.providers import Script


class Crafted:
    """A compressor that puts out what it is told to."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def compress(self, _data: bytes) -> bytes:
        """Return it, whatever is to be sent."""
        return self._data


@asynccontextmanager
async def compressing(jp_ws_fetch: Any) -> AsyncIterator[Client]:
    """Connect as a browser does, which offers to compress."""
    client = Client(await jp_ws_fetch("api", "stop-chat", "ws", compression_options={}))
    try:
        await client.until("welcome")
        yield client
    finally:
        await client.close()


def bomb() -> bytes:
    """Make a frame of some kilobytes that holds a hundred times what the longest may."""
    made = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = b"".join(made.compress(bytes(MAX_FRAME_BYTES)) for _ in range(100))
    return (data + made.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def test_a_client_packs_as_it_offered(jp_ws_fetch: Any) -> None:
    """Each frame of Tornado's refers to the ones before it, whatever else it were asked for."""
    async with compressing(jp_ws_fetch) as page:
        for number in range(5):
            await page.send(
                {"type": "open", "chat_id": f"{number:08}-0000-4000-8000-000000000000"}
            )
            assert (await page.until("error"))["code"] == "unknown_chat"
        await page.send({"type": "ping"})
        await page.until("pong")


async def test_a_reply_takes_fewer_bytes_than_its_text(provider: Any, jp_ws_fetch: Any) -> None:
    """What stands around each piece of text is the same each time, and is sent once."""
    provider.script = Script(tokens=[f"word{n} of the reply, " for n in range(400)], rate=400)
    async with compressing(jp_ws_fetch) as page:
        accepted = await page.ask()
        protocol: Any = page.socket.protocol
        before = protocol._wire_bytes_in
        ended = await page.end_of(accepted["message"]["id"])
        text = page.text(ended["id"])
        frames = [each for each in page.frames if each["type"] == "delta"]
        assert text == "".join(provider.script.tokens)
        assert len(frames) > 5
        assert protocol._wire_bytes_in - before < len(text)


async def test_a_client_that_cannot_is_sent_what_it_can_read(provider: Any, connect: Any) -> None:
    provider.script = Script(tokens=["As ", "it ", "is."])
    page = await connect()
    assert page.socket.protocol._compressor is None
    accepted = await page.ask()
    await page.end_of(accepted["message"]["id"])
    assert page.text(accepted["message"]["id"]) == "As it is."


@pytest.mark.parametrize(
    ("data", "code"), [(bomb(), 1009), (b"\xff" * 40, None)], ids=["a bomb", "no deflate at all"]
)
async def test_what_cannot_be_read_closes_that_socket_alone(
    provider: Any,
    connect: Any,
    jp_ws_fetch: Any,
    app: Any,
    data: bytes,
    code: int | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is not unpacked, its connection ends, and nothing is kept of it."""
    provider.script = Script(tokens=["Still ", "here."])
    other = await connect()
    async with compressing(jp_ws_fetch) as page:
        assert len(app.sockets) == 2
        page.socket.protocol._compressor = Crafted(data)
        await page.send("whatever")
        assert await page.socket.read_message() is None
        assert page.socket.close_code == code
    accepted = await other.ask()
    await other.end_of(accepted["message"]["id"])
    assert other.text(accepted["message"]["id"]) == "Still here."
    assert len(app.sockets) == 1
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
