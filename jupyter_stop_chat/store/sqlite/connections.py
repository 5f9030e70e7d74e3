"""The connections to one SQLite database: one that writes, in a thread of its own, and readers."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Executable, StaticPool, create_engine, event

from jupyter_stop_chat.store.changes import apply
from jupyter_stop_chat.store.schema import metadata
from jupyter_stop_chat.store.search.search import ensure_search
from jupyter_stop_chat.store.writer import GroupThen, Take
from jupyter_stop_chat.threads import Threads

from .bare import apply_at_once
from .prepare import Prepared

_T = TypeVar("_T")

#: How many reads of a file are done at once.
READERS = 4


class SqliteConnections:
    """The connections to a SQLite database, each used in a thread that may block.

    A database in memory is one connection: it is read where it is written, in one thread, so
    that no read falls into a transaction.

    :param writing: the pragmas of the connection that writes; read at each connect.
    :param reading: those of the others.
    """

    def __init__(
        self,
        url: URL,
        *,
        in_memory: bool,
        writing: Callable[[], Sequence[str]],
        reading: Callable[[], Sequence[str]],
    ) -> None:
        self._writer: Connection | None = None
        self._write_thread = Threads(1, "stop-chat-store")
        # What people write does not belong in a log, and an error's text would hold it.
        if in_memory:
            self._writing = create_engine(
                url,
                poolclass=StaticPool,
                connect_args={"check_same_thread": False},
                hide_parameters=True,
            )
            self._reading, self._read_threads = self._writing, self._write_thread
            _configure(self._writing, lambda: ["foreign_keys=on"], begin="BEGIN IMMEDIATE")
            return
        self._writing, self._reading = (
            create_engine(url, pool_size=size, max_overflow=0, hide_parameters=True)
            for size in (1, READERS)
        )
        self._read_threads = Threads(READERS, "stop-chat-store")
        _configure(self._writing, writing, begin="BEGIN IMMEDIATE")
        _configure(self._reading, reading)

    @property
    def connected(self) -> bool:
        """Tell whether there is a connection that writes."""
        return self._writer is not None

    async def connect(self) -> None:
        """Connect to write."""
        self._writer = await self._write_thread.run(self._writing.connect)

    async def connect_to_memory(self) -> Prepared:
        """Make a database in memory, and connect to write."""
        await self.connect()
        assert self._writer is not None
        return await self._write_thread.run(partial(_prepare_memory, self._writer))

    async def wait_for(self, busy_timeout: str) -> None:
        """Change how long the connection that writes waits for another's lock."""
        writer = self._writer
        if writer is not None:

            def change() -> None:
                writer.exec_driver_sql(f"PRAGMA {busy_timeout}")
                writer.commit()

            await self._write_thread.run(change)

    async def stop_writing(self) -> None:
        """Let go of the connection that writes; the others stay."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await self._write_thread.run(lambda: _let_go(writer))

    async def close(self) -> None:
        """Let go of every connection, once the reads that are under way have ended."""
        await self.stop_writing()
        if self._read_threads is not self._write_thread:
            await self._read_threads.close()
            await self._write_thread.run(self._reading.dispose)
        await self._write_thread.run(self._writing.dispose)
        await self._write_thread.close()

    async def transact(self, work: Callable[[Connection], _T]) -> _T:
        """Do some work in one transaction on the connection that writes."""
        writer = self._writer
        if writer is None:
            raise ConnectionError("not connected")

        def within() -> _T:
            with writer.begin():
                return work(writer)

        return await self._write_thread.run(within)

    def submit(self, take: Take, then: GroupThen, process: str) -> None:
        """Have a group of operations taken and applied in one transaction, in the thread.

        :param process: the id of the server process that writes.
        """
        writer = self._writer

        def commit() -> list[Any]:
            if writer is None:
                raise ConnectionError("not connected")
            operations = take()
            driver = writer.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            answers = apply_at_once(driver, operations, process)
            if answers is not None:
                return answers
            with writer.begin():
                return apply(writer, operations, process)

        self._write_thread.call(commit, then)

    async def read(
        self, statement: Executable, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the rows of one statement, which sees one state of the database."""

        def rows() -> list[dict[str, Any]]:
            with self._reading.connect() as connection:
                return [dict(row) for row in connection.execute(statement, parameters).mappings()]

        return await self._read_threads.run(rows)


def _let_go(connection: Connection) -> None:
    with contextlib.suppress(Exception):
        connection.invalidate()
    with contextlib.suppress(Exception):
        connection.close()


def _configure(
    engine: Engine, pragmas: Callable[[], Sequence[str]], begin: str | None = None
) -> None:
    """Set SQLite's pragmas on each new connection, and say how a transaction begins."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # The driver begins no transaction by itself.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas():
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if begin is not None:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)


def _prepare_memory(connection: Connection) -> Prepared:
    with connection.begin():
        metadata.create_all(connection)
        return Prepared("memory", ensure_search(connection), fresh=True)
