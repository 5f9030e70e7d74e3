"""What listens for a test leaves nothing behind it."""

from __future__ import annotations

import asyncio

from tests.aids.ports import listening


async def test_what_is_served_still_is_ended() -> None:
    """What waits for ever, and what was left open: as garbage it would fail another test."""
    before = asyncio.all_tasks()
    served: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(writer)
        if len(served) == 1:
            await asyncio.Event().wait()

    async with listening(serve) as port:
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        while len(served) < 2:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert [writer.get_extra_info("socket").fileno() for writer in served] == [-1, -1]
    for reader, writer in lines:
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
