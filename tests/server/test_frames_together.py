"""Frames that are sent together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tornado.websocket import _WebSocketParams

from jupyter_stop_chat.server.compression import Protocol


class Sent:
    """A stream that keeps what is written."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> asyncio.Future[None]:
        self.data += data
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        written.set_result(None)
        return written


def a_protocol(packs: bool) -> tuple[Any, Sent]:
    protocol: Any = Protocol(None, mask_outgoing=False, params=_WebSocketParams())
    if packs:
        protocol._create_compressors("server", {"client_no_context_takeover": None})
    protocol.stream = sent = Sent()
    return protocol, sent


@pytest.mark.parametrize("packs", [False, True])
async def test_a_frame_is_the_one_that_tornado_makes(packs: bool) -> None:
    """Whatever its length, and however often."""
    protocol, _ = a_protocol(packs)
    other, sent = a_protocol(packs)
    texts = ["", "é", "x" * 125, "x" * 126, "x" * 0xFFFF, "\U0001f600" * 0x10000, "again"]
    ours = [protocol.frame_of(text) for text in texts]
    for text in texts:
        await other.write_message(text)
    assert b"".join(ours) == sent.data
