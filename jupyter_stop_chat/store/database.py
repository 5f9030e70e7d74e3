"""The connections to one database: one that writes, and others that read meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Executable

from jupyter_stop_chat.threads import in_thread

from .changes import apply
from .operations import Operation
from .sqlite.connections import SqliteConnections
from .sqlite.prepare import Prepared, file_of, prepare, url_of
from .writer import GroupThen, Take

if TYPE_CHECKING:
    from .postgresql.connections import AsyncConnections

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
        self._read_only = self.url.query.get("mode") == "ro"
        self.prepared: Prepared | None = None
        self.process = process
        #: Whether a write waits for another's lock: a degraded store only tries, and does not.
        self.patient = True
        #: Whether reads are tried: where nothing answers, each would wait for its time to be up.
        self.readable = True
        #: Whether pictures lie in it: where they do not, messages may hold what is not there.
        self.has_pictures = True
        self._busy_seconds = busy_seconds
        self._pragmas = pragmas
        self._file: tuple[int, int] | None = None
        self._made = False
        self._connections: SqliteConnections | AsyncConnections | None = None

    async def open(self, *, new_search: bool = False) -> bool:
        """Make the database ready and connect to it; what is connected stays so.

        Should it fail, reads are tried all the same: a file may be readable and no more.

        :param new_search: make the search index anew, because it is damaged.
        :returns: whether it is another database than before: made now, or put in its place.
        :raises Exception: it cannot be written; `reason_of` says why.
        """
        if self._connections is not None and self._connections.connected:
            return False
        if self.dialect != "sqlite":
            return await self._open_server()
        if self.prepared is None and self.path is not None and not self._read_only:
            # Whoever opens and closes the file takes its locks from all connections to it.
            await self.close()
        try:
            if not self.in_memory and (self.prepared is None or new_search):
                self.prepared = await in_thread(
                    prepare, self.url, busy_seconds=self._busy(), new_search=new_search
                )
                self._made = self._made or self.prepared.fresh
        finally:
            if self._connections is None:
                self._connections = await in_thread(self._make_connections)
        connections = self._connections
        assert isinstance(connections, SqliteConnections)
        if self.in_memory:
            self.prepared = await connections.connect_to_memory()
            return True
        before, self._file = self._file, await in_thread(_identity, self.path)
        self._made = self._made or before not in (None, self._file)
        await connections.connect()
        return self._opened()

    async def _open_server(self) -> bool:
        connections = await self._server()
        await connections.connect()
        if self.prepared is None:
            self.prepared = await connections.prepare()
            self._made = self._made or self.prepared.fresh
        return self._opened()

    def _opened(self) -> bool:
        self.readable = True
        made, self._made = self._made, False
        return made

    async def knock(self) -> None:
        """Find out whether a database server would take a change, while nobody waits for that.

        :raises Exception: it would not; `reason_of` says why.
        """
        if self.dialect != "sqlite":
            await (await self._server()).knock()

    async def wait_again(self) -> None:
        """Wait for another's lock from now on, as before it was degraded."""
        self.patient = True
        if isinstance(self._connections, SqliteConnections):
            await self._connections.wait_for(self._busy_timeout())

    async def stop_writing(self) -> None:
        """Let go of the connection that writes; the others stay."""
        if self._connections is not None:
            await self._connections.stop_writing()

    async def let_go(self) -> None:
        """Let go of every connection, to be opened anew."""
        self.prepared = None
        if self._connections is not None and self.dialect != "sqlite":
            await self._connections.close()
        else:
            await self.close()

    async def close(self) -> None:
        """Let go of every connection, once the reads that are under way have ended."""
        connections, self._connections, self.prepared = self._connections, None, None
        if connections is not None:
            await connections.close()

    async def is_replaced(self) -> bool:
        """Tell whether another file, or none, is where the database was."""
        if self.path is None or self._file is None:
            return False
        return await in_thread(_identity, self.path) != self._file

    def submit(self, take: Take, then: GroupThen) -> bool:
        """Have a group of operations applied in one transaction without any task.

        :returns: whether that is possible.
        """
        if not isinstance(self._connections, SqliteConnections):
            return False
        self._connections.submit(take, then, self.process)
        return True

    async def write(self, operations: Sequence[Operation]) -> list[Any]:
        """Apply a group of operations in one transaction."""
        lenient = not self.has_pictures
        return await self.transact(
            lambda connection: apply(connection, operations, self.process, lenient=lenient)
        )

    async def transact(self, work: Callable[[Connection], _T], *, long: bool = False) -> _T:
        """Do some work in one transaction on the connection that writes.

        :param long: a statement of it may take many seconds.
        """
        connections = self._connections
        if connections is None:
            raise ConnectionError("not connected")
        if isinstance(connections, SqliteConnections):
            return await connections.transact(work)
        return await connections.transact(work, long=long)

    async def read(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows of one statement, which sees one state of the database."""
        if self._connections is None or not self.readable:
            raise ConnectionError("not connected")
        return await self._connections.read(statement, parameters or {})

    async def _server(self) -> AsyncConnections:
        """Return what connects to a database server; imports its driver in a thread."""
        if self._connections is None:
            self._connections = await in_thread(self._make_server)
        assert not isinstance(self._connections, SqliteConnections)
        return self._connections

    def _make_server(self) -> AsyncConnections:
        from .postgresql.connections import AsyncConnections

        return AsyncConnections(self.url, self._busy_seconds)

    def _make_connections(self) -> SqliteConnections:
        """Make what connects to a file; belongs in a thread."""
        return SqliteConnections(
            self.url,
            in_memory=self.in_memory,
            writing=self._writing,
            reading=lambda: [self._busy_timeout(), "query_only=on"],
        )

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


def _identity(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
