"""Read a body that nobody listens to: unpacked bit by bit, and no further than anybody needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

from .bounds import LONGEST_ERROR, PIECES_AT_ONCE, check_length, check_parts
from .packing import Packing

#: How a body is named that is not packed, and those that are unpacked here.
UNPACKED, UNPACKS = frozenset({"", "identity"}), frozenset({"gzip", "x-gzip", "deflate"})


def packed_as(message: Any) -> str:
    """Return how a response says that it is packed; empty where it is not."""
    named = str(message.headers.get("content-encoding", "")).strip().lower()
    return "" if named in UNPACKED else named


def packing_of(message: Any) -> Packing | None:
    """Return what unpacks a response, which then says of itself that it is not packed."""
    named = packed_as(message)
    message.headers.pop("content-encoding", None)
    return Packing() if named else None


async def pieces(body: Any, packing: Packing | None) -> AsyncIterator[bytes]:
    """Yield a body as it is unpacked; all others go on between."""
    begun = body.__aiter__()
    count = 0
    async with AsyncExitStack() as stack:
        if hasattr(begun, "aclose"):
            await stack.enter_async_context(aclosing(begun))
        async for data in begun:
            piece = data if packing is None else packing.unpack(data)
            while True:
                yield piece
                count += 1
                if count % PIECES_AT_ONCE == 0 or packing is not None:
                    await asyncio.sleep(0)
                if packing is None or not packing.has_more:
                    break
                piece = packing.unpack()


async def cut(body: AsyncIterator[bytes], most: int = LONGEST_ERROR) -> AsyncIterator[bytes]:
    """Yield the begin of a body."""
    async for piece in body:
        yield piece[:most]
        most -= len(piece)
        if most <= 0:
            return


async def whole(body: AsyncIterator[bytes]) -> bytes:
    """Read a body to its end.

    :raises ProviderFault: it is too long to be read.
    """
    held = bytearray()
    async for piece in body:
        held += piece
        check_length(len(held))
    check_parts(held)
    return bytes(held)
