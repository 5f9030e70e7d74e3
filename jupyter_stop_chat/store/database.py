"""The connections to one database: one that writes, and others that read meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, StaticPool, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from .changes import apply
from .operations import Operation
from .schema import metadata
from .search import ensure_search
from .slices import in_slices
from .sqlite.prepare import Prepared, connect_args, file_of, prepare, url_of
from .sqlite.thread import in_thread

_T = TypeVar("_T")


class Database:
    """The connections to a database.

    :param db_url: where it is.
    :param process: the id of this server process.
    :param busy_seconds: how long a write waits for another process's lock.
    :param pragmas: further SQLite pragmas for the connection that writes; read at each connect.
    """

    def __init__(
        self, db_url: str, process: str, busy_seconds: float, pragmas: Mapping[str, str | int]
    ) -> None:
        self.url = url_of(db_url)
        self.path = file_of(self.url)
        self.dialect = self.url.get_backend_name()
        self.in_memory = self.dialect == "sqlite" and self.path is None
        self.prepared: Prepared | None = None
        self.process = process
        #: Whether a write waits for another's lock: a degraded store only tries, and does not.
        self.patient = True
        #: Whether reads are tried: where nothing answers, each would wait for its time to be up.
        self.readable = True
        self._busy_seconds = busy_seconds
        self._pragmas = pragmas
        self._file: tuple[int, int] | None = None
        self._made = False
        self._writer: AsyncConnection | None = None
        self._engines: list[AsyncEngine] = []
        self._reading: set[asyncio.Task[list[dict[str, Any]]]] = set()
        # One connection in memory serves all: a read must not fall into a write's transaction.
        self._alone: contextlib.AbstractAsyncContextManager[Any] = (
            asyncio.Lock() if self.in_memory else contextlib.nullcontext()
        )

    async def open(self, *, new_search: bool = False) -> bool:
        """Make the database ready and connect to it; what is connected stays so.

        Should it fail, reads are tried all the same: a file may be readable and no more.

        :param new_search: make the search index anew, because it is damaged.
        :returns: whether there was no database, and one was made.
        :raises Exception: it cannot be written; `reason_of` says why.
        """
        if not self._engines:
            self._engines = await in_thread(self._make_engines)
        if self._writer is not None:
            return False
        if self.in_memory:
            self._writer = await self._engines[0].connect()
            self.prepared = await self._writer.run_sync(_prepare_memory)
            return True
        if self.prepared is None or new_search:
            self.prepared = await in_thread(
                prepare, self.url, busy_seconds=self._busy(), new_search=new_search
            )
            self._made = self._made or self.prepared.fresh
        self._file = await in_thread(_identity, self.path)
        self._writer = await self._engines[0].connect()
        self.readable = True
        made, self._made = self._made, False
        return made

    async def wait_again(self) -> None:
        """Wait for another's lock from now on, as before it was degraded."""
        self.patient = True
        if self._writer is not None and self.dialect == "sqlite":
            await self._writer.exec_driver_sql(f"PRAGMA {self._busy_timeout()}")
            await self._writer.commit()

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
        engines, self._engines, self.prepared = self._engines, [], None
        await self.stop_writing()
        await asyncio.gather(*self._reading, return_exceptions=True)
        for engine in engines:
            await engine.dispose()

    async def is_replaced(self) -> bool:
        """Tell whether another file, or none, is where the database was."""
        if self.path is None or self._file is None:
            return False
        return await in_thread(_identity, self.path) != self._file

    async def write(self, operations: Sequence[Operation]) -> list[Any]:
        """Apply a group of operations in one transaction."""
        return await self.transact(lambda connection: apply(connection, operations, self.process))

    async def transact(self, work: Callable[[Connection], _T]) -> _T:
        """Do some work in one transaction on the connection that writes."""
        if self._writer is None:
            raise ConnectionError("not connected")

        def within(connection: Connection) -> _T:
            with connection.begin():
                return work(connection)

        async with self._alone:
            return await self._writer.run_sync(within)

    async def read(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows of one statement, which sees one state of the database."""
        if not self._engines or not self.readable:
            raise ConnectionError("not connected")
        # A caller that is cancelled must not cost the connection: in memory that is the database.
        reading = asyncio.create_task(self._read(self._engines[-1], statement, parameters or {}))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)
        reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(reading)

    async def _read(
        self, engine: AsyncEngine, statement: Executable, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        async with self._alone, engine.connect() as connection:
            found = await connection.execute(statement, parameters)
            return await in_slices(dict, found.mappings())

    def _make_engines(self) -> list[AsyncEngine]:
        """Make the engines; imports the drivers, and so belongs in a thread."""
        if self.in_memory:
            engine = create_async_engine(self.url, poolclass=StaticPool, hide_parameters=True)
            _configure(engine, lambda: ["foreign_keys=on"], begin="BEGIN IMMEDIATE")
            return [engine]
        # What people write does not belong in a log, and an error's text would hold it.
        writing, reading = (
            create_async_engine(
                self.url,
                pool_size=size,
                max_overflow=0,
                hide_parameters=True,
                connect_args=connect_args(self.url),
            )
            for size in (1, 4)
        )
        if self.dialect == "sqlite":
            _configure(writing, self._writing, begin="BEGIN IMMEDIATE")
            _configure(reading, lambda: [self._busy_timeout(), "query_only=on"])
        return [writing, reading]

    def _busy(self) -> float:
        return self._busy_seconds if self.patient else 0.02

    def _busy_timeout(self) -> str:
        return f"busy_timeout={int(self._busy() * 1000)}"

    def _writing(self) -> list[str]:
        # A rollback journal is synced in full: NORMAL could tear it on a power cut.
        wal = self.prepared is not None and self.prepared.journal == "wal"
        pragmas = [f"{name}={value}" for name, value in self._pragmas.items()]
        sync = f"synchronous={'normal' if wal else 'full'}"
        return [self._busy_timeout(), "foreign_keys=on", sync, *pragmas]


def _configure(
    engine: AsyncEngine, pragmas: Callable[[], Sequence[str]], begin: str | None = None
) -> None:
    """Set SQLite's pragmas on each new connection, and say how a transaction begins."""

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # The driver begins no transaction by itself.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas():
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if begin is not None:

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)


def _prepare_memory(connection: Connection) -> Prepared:
    with connection.begin():
        metadata.create_all(connection)
        return Prepared("memory", ensure_search(connection), fresh=True)


def _identity(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
