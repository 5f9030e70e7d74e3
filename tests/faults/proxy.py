"""A loopback proxy that cuts, delays and dribbles."""

from __future__ import annotations

import asyncio
import random
from types import TracebackType
from typing import Self

from tests.aids.ports import free_port


class BadProxy:
    """What passes bytes on to a port, badly.

    :ivar cut_after: the next connection is cut after so many bytes from the server; None is never.
    :ivar dribble: pass on at most so many bytes at a time, with a turn of the loop between them.
    :ivar cuts: how many connections were cut.
    """

    def __init__(self, port: int, chance: random.Random) -> None:
        self.port = free_port()
        self.cut_after: int | None = None
        self.dribble: int | None = None
        self.cuts = 0
        self._target = port
        self._chance = chance
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        cut_after, dribble = self.cut_after, self.dribble
        there, to_there = await asyncio.open_connection("127.0.0.1", self._target)
        up = asyncio.create_task(self._pass(reader, to_there, None, None))
        down = asyncio.create_task(self._pass(there, writer, cut_after, dribble))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (up, down):
                each.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            # In the middle of whatever was under way, both ways, as a network does.
            to_there.transport.abort()
            writer.transport.abort()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        most: int | None,
        dribble: int | None,
    ) -> None:
        passed = 0
        while data := await reader.read(dribble or 65536):
            if most is not None and passed + len(data) >= most:
                writer.write(data[: most - passed])
                await writer.drain()
                self.cuts += 1
                return
            passed += len(data)
            writer.write(data)
            await writer.drain()
            for _ in range(self._chance.choice((0, 0, 0, 1, 3))):
                await asyncio.sleep(0)  # a delay, in turns of the loop
