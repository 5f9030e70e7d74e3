"""What clients offer of compression, as odd as it may be, and what they send then."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest

from jupyter_stop_chat.wire.objects import MAX_FRAME_BYTES
from tests.conftest import Client
from tests.server.bare_socket import FIN, PACKED, TEXT, BareSocket, packed

PING = b'{"type": "ping"}'
Opening: TypeAlias = "Callable[[str], Any]"


@pytest.fixture
def offering(
    app: Any, jp_auth_header: dict[str, str], jp_http_port: int, jp_base_url: str, connect: Any
) -> Opening:
    """Open a socket with an offer of one's own; the server answers since it is connected to."""

    @asynccontextmanager
    async def opened(offer: str) -> AsyncIterator[BareSocket]:
        headers = jp_auth_header | {"Sec-WebSocket-Extensions": offer}
        path = f"{jp_base_url}api/stop-chat/ws"
        client = await BareSocket.connect(jp_http_port, path, headers)
        try:
            await client.until("welcome")
            yield client
        finally:
            await client.close()

    return opened


@pytest.mark.parametrize(
    ("offer", "compresses"),
    [
        ("permessage-deflate", True),
        ("permessage-deflate; client_max_window_bits", True),
        ("permessage-deflate; server_no_context_takeover", True),
        ("permessage-deflate; server_max_window_bits=9", True),
        ('permessage-deflate; server_max_window_bits="15"', True),
        ("permessage-deflate; client_max_window_bits=8", True),
        ("permessage-deflate; server_max_window_bits=8", False),
        (
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=8",
            False,
        ),
        ("permessage-deflate; server_max_window_bits", False),
        ("permessage-deflate; server_max_window_bits=16", False),
        ("permessage-deflate; server_max_window_bits=ten", False),
        ("permessage-deflate; client_max_window_bits=7", False),
        ("permessage-deflate; server_no_context_takeover=1", False),
        ("permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", False),
        ("permessage-deflate; something=new", False),
        ("permessage-deflate; something=new, permessage-deflate", True),
        ("permessage-bzip2", False),
        (";=,;", False),
    ],
)
async def test_whatever_is_offered_the_socket_opens(
    offering: Opening, offer: str, compresses: bool
) -> None:
    """An offer that is not understood is declined (RFC 7692, 5.1), and its client is let in."""
    async with offering(offer) as client:
        assert client.extensions.startswith("permessage-deflate") == compresses
        for _ in range(3):
            content, first = (packed(PING), PACKED) if compresses else (PING, 0)
            await client.send(content, FIN | TEXT | first)
            assert await client.until("pong") == {"type": "pong"}


async def test_what_is_agreed_was_offered(offering: Opening) -> None:
    both = "permessage-deflate; server_no_context_takeover; server_max_window_bits=10"
    async with offering(f"{both}; client_max_window_bits=10") as client:
        agreed = {each.strip() for each in client.extensions.split(";")}
        assert agreed == {
            *(each.strip() for each in both.split(";")),
            "client_max_window_bits=10",
        }
        for _ in range(3):
            await client.send(packed(PING), FIN | TEXT | PACKED)
            assert await client.until("pong") == {"type": "pong"}


async def test_a_ping_between_fragments_changes_nothing(offering: Opening) -> None:
    """A browser sends a long prompt in fragments, and answers the server's ping between them."""
    async with offering("permessage-deflate") as client:
        content = packed(PING)
        await client.send(content[:4], TEXT | PACKED)
        await client.send(b"", FIN | 0xA)
        await client.send(content[4:], FIN)
        assert await client.until("pong") == {"type": "pong"}


async def test_a_frame_that_says_it_is_the_last_is_not(offering: Opening) -> None:
    """A client may end each frame's packed data; what is in the next one is read as well."""
    async with offering("permessage-deflate") as client:
        for _ in range(3):
            await client.send(packed(PING, is_last=True), FIN | TEXT | PACKED)
            assert await client.until("pong") == {"type": "pong"}


async def test_nothing_is_kept_of_what_comes_behind_packed_data(offering: Opening) -> None:
    """Else one connection takes as much memory as its client likes to send."""
    async with offering("permessage-deflate") as client:
        await client.send(packed(PING, is_last=True), FIN | TEXT | PACKED)
        await client.until("pong")
        tracemalloc.start()
        try:
            behind = packed(PING, is_last=True) + bytes(MAX_FRAME_BYTES - 100)
            for _ in range(12):
                await client.send(behind, FIN | TEXT | PACKED)
                await client.read()
            assert tracemalloc.get_traced_memory()[0] < 6 * MAX_FRAME_BYTES
        finally:
            tracemalloc.stop()


async def test_fragments_of_a_packed_frame_are_read_as_one(offering: Opening) -> None:
    async with offering("permessage-deflate") as client:
        content = packed(PING)
        await client.send(content[:3], TEXT | PACKED)
        await client.send(content[3:4], 0)
        await client.send(content[4:], FIN)
        assert await client.until("pong") == {"type": "pong"}


async def test_a_bomb_in_fragments_closes_that_socket(offering: Opening) -> None:
    """It is as long as it is once it is unpacked."""
    async with offering("permessage-deflate") as client:
        content = await asyncio.to_thread(packed, bytes(100 * MAX_FRAME_BYTES))
        await client.send(content[:9], TEXT | PACKED)
        await client.send(content[9:], FIN)
        while await client.read() is not None:
            pass


async def test_a_connection_cut_in_a_packed_frame_leaves_nothing(
    offering: Opening, app: Any, connect: Callable[[], Awaitable[Client]]
) -> None:
    before = len(app.sockets)
    async with offering("permessage-deflate") as client:
        await client.send(packed(json.dumps({"type": "ping"}).encode())[:4], TEXT | PACKED)
        client._writer.write(bytes([FIN, 0xFE]))
    page = await connect()
    await page.send({"type": "ping"})
    await page.until("pong")
    assert len(app.sockets) == before + 1
