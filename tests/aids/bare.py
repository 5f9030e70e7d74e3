"""What a machine takes for the bare steps of a stop, so that a busy one fails no test."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from tests.aids.ports import listening

#: A stop may take so many times what its bare steps take.
MOST = 10


class Bare:
    """What measures, beside each stop, a byte that goes to and fro and a commit in a thread."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path
    ) -> None:
        self._reader, self._writer, self._path = reader, writer, path
        self._took: list[float] = []

    async def measure(self) -> None:
        """Measure once."""
        began = time.perf_counter()
        self._writer.write(b"x")
        await self._reader.readexactly(1)
        await asyncio.to_thread(self._commit)
        self._took.append((time.perf_counter() - began) * 1000)

    def soon(self, quiet: float) -> float:
        """Return what "soon" is here, in milliseconds.

        :param quiet: what it is on a machine that has nothing else to do.
        """
        return max(quiet, MOST * statistics.median(self._took))

    def _commit(self) -> None:
        with closing(sqlite3.connect(self._path)) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS t (x)")
            database.execute("INSERT INTO t VALUES (1)")


@asynccontextmanager
async def bare(folder: Path) -> AsyncIterator[Bare]:
    """Make all that is measured ready."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while byte := await reader.read(1):
            writer.write(byte)
        writer.close()

    async with listening(echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Bare(reader, writer, folder / "bare.sqlite")
        finally:
            writer.close()
            await writer.wait_closed()
