"""The connections to a database that a server keeps: PostgreSQL, by its asynchronous driver."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from .slices import in_slices
from .sqlite.prepare import connect_args

_T = TypeVar("_T")


#: How many reads are done at once.
READERS = 4


class AsyncConnections:
    """The connections to a database server: one that writes, and others that read meanwhile."""

    def __init__(self, url: URL) -> None:
        self._writer: AsyncConnection | None = None
        self._reads: set[asyncio.Task[list[dict[str, Any]]]] = set()
        # What people write does not belong in a log, and an error's text would hold it.
        self._writing, self._reading = (
            create_async_engine(
                url,
                pool_size=size,
                max_overflow=0,
                hide_parameters=True,
                connect_args=connect_args(url),
            )
            for size in (1, READERS)
        )
        #: The others wait here: where a connection breaks, a pool forgets who waits in it.
        self._free = asyncio.Semaphore(READERS)

    @property
    def connected(self) -> bool:
        """Tell whether there is a connection that writes."""
        return self._writer is not None

    async def connect(self) -> None:
        """Connect to write."""
        self._writer = await self._writing.connect()

    async def stop_writing(self) -> None:
        """Let go of the connection that writes; the others stay."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(Exception):
                await writer.invalidate()
            with contextlib.suppress(Exception):
                await writer.close()

    async def close(self) -> None:
        """Let go of every connection, once the reads that are under way have ended."""
        await self.stop_writing()
        await asyncio.gather(*self._reads, return_exceptions=True)
        for engine in (self._writing, self._reading):
            await engine.dispose()

    async def transact(self, work: Callable[[Connection], _T]) -> _T:
        """Do some work in one transaction on the connection that writes."""
        if self._writer is None:
            raise ConnectionError("not connected")

        def within(connection: Connection) -> _T:
            with connection.begin():
                return work(connection)

        return await self._writer.run_sync(within)

    async def read(
        self, statement: Executable, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the rows of one statement, which sees one state of the database."""
        # A caller that is cancelled must not cost the connection.
        reading = asyncio.create_task(self._read(statement, parameters))
        self._reads.add(reading)
        reading.add_done_callback(self._reads.discard)
        reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(reading)

    async def _read(
        self, statement: Executable, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        async with self._free:
            try:
                return await _read_once(self._reading, statement, parameters)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            # It was broken since it was last used: there are new ones, if the server answers.
            return await _read_once(self._reading, statement, parameters)


async def _read_once(
    engine: AsyncEngine, statement: Executable, parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    async with engine.connect() as connection:
        found = await connection.execute(statement, parameters)
        return await in_slices(dict, found.mappings())
