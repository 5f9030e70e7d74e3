"""Agree with a client on how frames are made smaller (RFC 7692); read and write such frames."""

from __future__ import annotations

import asyncio
import re
import struct
from typing import Any

from tornado.websocket import WebSocketProtocol13, _PerMessageDeflateDecompressor

#: What a client may ask for; zlib makes nothing with a window of 8 bits.
_SERVER_BITS = re.compile(r"9|1[0-5]")
_CLIENT_BITS = re.compile(r"[89]|1[0-5]")
#: The largest window of a client that can have a smaller one, in bits: what it sends is short, and
#: each connection keeps that much here.
MOST_CLIENT_BITS = 10


class Protocol(WebSocketProtocol13):
    """Tornado's protocol with four faults in compression mended.

    It answers an offer that it does not know with an error, it passes over the parameters that
    have no value, it takes a frame whose fragments a ping or pong lies between as unpacked, and it
    keeps all that comes behind the end of a packed stream.
    """

    def _parse_extensions_header(self, headers: Any) -> Any:
        taken = agreed(headers.get("Sec-WebSocket-Extensions", ""))
        return [] if taken is None else [("permessage-deflate", taken)]

    def _create_compressors(
        self,
        side: str,
        agreed_parameters: dict[str, Any],
        compression_options: dict[str, Any] | None = None,
    ) -> None:
        super()._create_compressors(side, agreed_parameters, compression_options)
        self._decompressor = Unpacking(
            max_message_size=self.params.max_message_size,
            **self._get_compressor_options("client", agreed_parameters, compression_options),
        )

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


class Unpacking(_PerMessageDeflateDecompressor):
    """What unpacks the frames of a client, and keeps nothing behind the end of its packed data."""

    def decompress(self, data: bytes) -> bytes:
        """Unpack a frame."""
        unpacked = super().decompress(data)
        if self._decompressor is not None and self._decompressor.eof:  # type: ignore[attr-defined]
            self._decompressor = self._create_decompressor()
        return unpacked


def agreed(offers: str) -> dict[str, str | None] | None:
    """Return what is answered to the first of a client's offers that is understood.

    The others are declined; None: frames stay as they are. Nothing is asked of a client that it
    did not say it can do: Tornado's reads over parameters that have no value.

    :param offers: what the client sent as `Sec-WebSocket-Extensions`.
    """
    for offer in offers.split(","):
        name, *parameters = (each.strip() for each in offer.split(";"))
        if name.lower() == "permessage-deflate" and (taken := _taken(parameters)) is not None:
            return taken
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
                taken[name] = None
            case "client_max_window_bits" if not equals or _CLIENT_BITS.fullmatch(value):
                taken[name] = str(min(int(value or MOST_CLIENT_BITS), MOST_CLIENT_BITS))
            case _:
                return None
    return taken
