"""Agree with a client on how frames are made smaller, and read such frames (RFC 7692)."""

from __future__ import annotations

import re
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
