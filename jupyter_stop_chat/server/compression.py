"""Agree with a client on how frames are made smaller (RFC 7692); read and write such frames."""

from __future__ import annotations

import asyncio
import re
import struct
from typing import Any

from tornado.websocket import WebSocketProtocol13

#: What a client may ask for; zlib makes nothing with a window of 8 bits.
_SERVER_BITS = re.compile(r"9|1[0-5]")
_CLIENT_BITS = re.compile(r"[89]|1[0-5]")


class Protocol(WebSocketProtocol13):
    """Tornado's protocol with three faults in compression mended.

    It answers an offer that it does not know with an error, it passes over the parameters that
    have no value, and it takes a frame whose fragments a ping or pong lies between as unpacked.
    """

    def _parse_extensions_header(self, headers: Any) -> Any:
        taken = agreed(headers.get("Sec-WebSocket-Extensions", ""))
        return [] if taken is None else [("permessage-deflate", taken)]

    async def _receive_frame(self) -> None:
        fragments = self._fragmented_message_buffer is not None
        packed = self._frame_compressed
        await super()._receive_frame()
        if fragments:
            self._frame_compressed = packed

    def frame_of(self, text: str) -> bytes:
        """Return a text as a frame. Each has to be sent, in the order in which they were made.

        Tornado's own way takes a task and a call of the system for each.
        """
        data = text.encode()
        first = self.FIN | 0x1
        if self._compressor is not None:
            data = self._compressor.compress(data)
            first |= self.RSV1
        length = len(data)
        if length < 126:
            return struct.pack("BB", first, length) + data
        if length <= 0xFFFF:
            return struct.pack("!BBH", first, 126, length) + data
        return struct.pack("!BBQ", first, 127, length) + data

    def send(self, frames: bytes) -> asyncio.Future[None] | None:
        """Send frames; return what to wait for, unless the kernel has all of them.

        :raises StreamClosedError: the client is gone.
        """
        self._wire_bytes_out += len(frames)
        written = self.stream.write(frames)
        return written if self.stream.closed() or self.stream.writing() else None


def agreed(offers: str) -> dict[str, str | None] | None:
    """Return what is answered to the first of a client's offers that is understood.

    The others are declined; None: frames stay as they are. Each frame of the client is unpacked
    by itself: what unpacks several keeps all that comes behind the end of a packed stream.

    :param offers: what the client sent as `Sec-WebSocket-Extensions`.
    """
    for offer in offers.split(","):
        name, *parameters = (each.strip() for each in offer.split(";"))
        if name.lower() == "permessage-deflate" and (taken := _taken(parameters)) is not None:
            return {"client_no_context_takeover": None} | taken
    return None


def _taken(parameters: list[str]) -> dict[str, str | None] | None:
    """Return what is answered to an offer's parameters, or None where it is declined."""
    taken: dict[str, str | None] = {}
    names: set[str] = set()
    for parameter in parameters:
        name, equals, value = (each.strip() for each in parameter.partition("="))
        value = re.sub(r'\A"(.*)"\Z', r"\1", value)
        if name in names:
            return None
        names.add(name)
        match name:
            case "server_no_context_takeover" if not equals:
                taken[name] = None
            case "server_max_window_bits" if _SERVER_BITS.fullmatch(value):
                taken[name] = value
            case "client_no_context_takeover" if not equals:
                pass  # it is asked for in any case
            case "client_max_window_bits" if not equals or _CLIENT_BITS.fullmatch(value):
                pass  # whatever the client's window is, it is no larger than what unpacks it
            case _:
                return None
    return taken
