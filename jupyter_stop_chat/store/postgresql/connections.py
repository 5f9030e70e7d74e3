"""The connections to one database on a server: one that writes, and others that read meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Executable, MappingResult, text
from sqlalchemy.exc import DBAPIError

from jupyter_stop_chat.store.degraded.reason import sqlstate_of
from jupyter_stop_chat.store.slices import in_slices
from jupyter_stop_chat.store.sqlite.prepare import Prepared
from jupyter_stop_chat.threads import in_thread

from .address import Address
from .line import Line, engine_of
from .prepare import is_ready, prepare, try_to_write

_T = TypeVar("_T")
_Ask = Callable[[Connection], MappingResult]

#: How many reads are done at once.
READERS = 4
#: So long a change may be left unanswered, in seconds: people wait for it …
WRITE_SECONDS = 3.0
#: … but for what makes thousands of rows in one statement.
LONG_SECONDS = 20.0
#: So long a read may take, and wait for a connection before that.
READ_SECONDS = 10.0
#: So long a server may take to let in who was there before.
RECONNECT_SECONDS = 2.0
#: So long a session of before may take to end.
_END_SECONDS = 2.0
_TOO_MANY = "53300"
#: Two transactions waited for each other, or saw each other's rows change.
_AGAIN = "40"

_SINCE = text("SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
_OF_BEFORE = "FROM pg_stat_activity WHERE pid = :process AND backend_start = :since"
_END = text(f"SELECT pg_terminate_backend(pid) {_OF_BEFORE}")
_IS_THERE = text(f"SELECT pid {_OF_BEFORE}")


class AsyncConnections:
    """The connections to a database server: one that writes, and others that read meanwhile.

    Whoever waits here may be cancelled: what was begun is done all the same.

    :param lock_seconds: how long a change waits for another's lock.
    """

    def __init__(self, url: URL, lock_seconds: float) -> None:
        self._address = Address.of(url)
        self._lock_seconds = lock_seconds
        self._engine = engine_of(self._address, lock_seconds)
        self._writer: Line | None = None
        #: One transaction after the other.
        self._turn = asyncio.Lock()
        #: The session that wrote last: process and beginning.
        self._session: tuple[int, datetime] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()
        self._readers: set[Line] = set()
        self._idle: list[Line] = []
        self._free = asyncio.Semaphore(READERS)

    @property
    def connected(self) -> bool:
        """Tell whether there is a connection that writes."""
        return self._writer is not None

    async def connect(self) -> None:
        """Connect to write."""
        await self._connect(self._address.connect_seconds)

    async def prepare(self) -> Prepared:
        """Make what is missing in the database."""
        if await self.transact(is_ready):
            return Prepared("", indexed=True, fresh=False)
        return await in_thread(prepare, self._address, self._lock_seconds)

    async def knock(self) -> None:
        """Find out whether a change would be taken, on a connection of its own.

        :raises Exception: it would not; `reason_of` says why.
        """
        line = await Line.connect(self._engine, self._address.connect_seconds)
        try:
            await line.do(partial(_within, try_to_write), WRITE_SECONDS)
        finally:
            await line.close()

    async def stop_writing(self) -> None:
        """Let go of the connection that writes; the others stay."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.cut()
            await writer.close()

    async def close(self) -> None:
        """Let go of every connection, once the reads that are under way have had their time."""
        writer, self._writer = self._writer, None
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=WRITE_SECONDS)
            for line in self._readers - {*self._idle}:
                line.cut()
            for task in self._under_way:
                task.cancel()
        idle, self._idle = self._idle, []
        lines = idle if writer is None else [*idle, writer]
        await asyncio.gather(*(line.close() for line in lines))
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._engine.dispose()

    async def transact(self, work: Callable[[Connection], _T], *, long: bool = False) -> _T:
        """Do some work in one transaction on the connection that writes.

        :param long: a statement of it may take many seconds.
        """
        return await self._do(self._transact(work, LONG_SECONDS if long else WRITE_SECONDS))

    async def read(
        self, statement: Executable, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the rows of one statement, which sees one state of the database."""
        return await self._do(self._read(statement, parameters))

    async def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        # A caller that is cancelled must not cost the connection.
        doing = asyncio.create_task(work)
        self._under_way.add(doing)
        doing.add_done_callback(self._under_way.discard)
        doing.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(doing)

    # --- writing -----------------------------------------------------------------------------

    async def _connect(self, seconds: float) -> Line:
        line = await Line.connect(self._engine, seconds)
        try:
            if not self._address.pooled:
                await self._end_session(line)
                since = await line.do(partial(_within, _since), WRITE_SECONDS)
                self._session = (line.process, since)
        except BaseException:
            line.cut()
            await line.close()
            raise
        self._writer = line
        return line

    async def _end_session(self, line: Line) -> None:
        """End the session that wrote before.

        Where the server was halted, that may still have to take what it was asked last: it must
        not be done once that was taken for lost.
        """
        if self._session is None:
            return
        named = dict(zip(("process", "since"), self._session, strict=True))
        ask = partial(_any, statement=_END, parameters=named)
        end = time.monotonic() + _END_SECONDS
        while await line.do(partial(_within, ask), WRITE_SECONDS):
            if time.monotonic() > end:
                raise TimeoutError("the session that wrote before does not end")
            await asyncio.sleep(0.02)
            ask = partial(_any, statement=_IS_THERE, parameters=named)
        self._session = None

    async def _transact(self, work: Callable[[Connection], _T], seconds: float) -> _T:
        async with self._turn:
            line = self._writer
            if line is None:
                raise ConnectionError("not connected")
            if not await line.is_alive():
                # Nothing was asked of it that was not answered: another does as well.
                await self.stop_writing()
                line = await self._connect(RECONNECT_SECONDS)
            try:
                return await line.do(partial(_within, work), seconds)
            except DBAPIError as error:
                if not sqlstate_of(error).startswith(_AGAIN):
                    raise
            return await line.do(partial(_within, work), seconds)

    # --- reading -----------------------------------------------------------------------------

    async def _read(
        self, statement: Executable, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        ask = partial(_rows, statement=statement, parameters=parameters)
        async with asyncio.timeout(READ_SECONDS):
            await self._free.acquire()
        try:
            return await in_slices(dict, await self._ask(ask))
        finally:
            self._free.release()

    async def _ask(self, ask: _Ask) -> MappingResult:
        while self._idle:
            line = self._idle.pop()
            if await line.is_alive():
                try:
                    return await self._ask_on(line, ask)
                except DBAPIError:
                    if not line.closed:
                        raise
            # It was broken since it was used last: there are others, if the server answers.
            await self._drop(line)
        try:
            line = await Line.connect(
                self._engine, self._address.connect_seconds, alone=not self._address.pooled
            )
        except DBAPIError as error:
            if sqlstate_of(error) != _TOO_MANY:
                raise
            # There is one that cannot be taken away by others.
            return await self._transact(ask, READ_SECONDS)
        self._readers.add(line)
        return await self._ask_on(line, ask)

    async def _ask_on(self, line: Line, ask: _Ask) -> MappingResult:
        try:
            return await line.do(partial(_alone, ask), READ_SECONDS)
        finally:
            if line.closed:
                await self._drop(line)
            else:
                self._idle.append(line)

    async def _drop(self, line: Line) -> None:
        self._readers.discard(line)
        line.cut()
        await line.close()


def _within(work: Callable[[Connection], _T], connection: Connection) -> _T:
    with connection.begin():
        return work(connection)


def _since(connection: Connection) -> datetime:
    since: datetime = connection.execute(_SINCE).scalar_one()
    return since


def _alone(ask: _Ask, connection: Connection) -> MappingResult:
    try:
        return ask(connection)
    finally:
        # Where each statement is a transaction, nobody is asked.
        if not connection.invalidated:
            connection.rollback()


def _rows(
    connection: Connection, statement: Executable, parameters: Mapping[str, Any]
) -> MappingResult:
    return connection.execute(statement, parameters).mappings()


def _any(connection: Connection, statement: Executable, parameters: Mapping[str, Any]) -> bool:
    return connection.execute(statement, parameters).first() is not None
