"""One connection to a database server, which is cut where no answer comes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, NullPool, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from .address import STATEMENT_SECONDS, Address

_T = TypeVar("_T")

#: After so long without use, in seconds, a connection is asked whether it still is one: what lies
#: between may have forgotten it without a word …
_UNSURE = 30.0
#: … and so long it has to answer.
_PING_SECONDS = 1.0
#: So long a server may take to part in order.
_CLOSE_SECONDS = 1.0
#: What the driver raises; SQLAlchemy hands on some of it as it is, before 2.1 above all.
_UNWRAPPED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
#: What the driver connected last, for whoever asked it to.
_made: ContextVar[list[asyncpg.Connection]] = ContextVar("made")


def engine_of(
    address: Address, lock_seconds: float, statement_seconds: float = STATEMENT_SECONDS
) -> AsyncEngine:
    """Make what connects to a database server."""

    async def connect() -> asyncpg.Connection:
        made = await address.connect(lock_seconds, statement_seconds)
        if (asked := _made.get(None)) is not None:
            asked.append(made)
        return made

    engine = create_async_engine(
        "postgresql+asyncpg://",
        poolclass=NullPool,
        # What people write does not belong in a log, and an error's text would hold it.
        hide_parameters=True,
        connect_args={"async_creator_fn": connect, **address.dialect_args()},
    )
    event.listen(engine.sync_engine, "before_cursor_execute", _asks)
    return engine


def _asks(connection: Connection, *_: Any) -> None:
    connection.info["asked"] = time.monotonic()


class Line:
    """One connection to a database server.

    A server that is halted, or that no packet reaches, takes what it is asked and never answers.
    The driver's own limit would ask it once more, to give up, and wait for that.
    """

    def __init__(self, connection: AsyncConnection, driver: asyncpg.Connection) -> None:
        self._connection = connection
        self._driver = driver
        assert connection.sync_connection is not None
        self._info = connection.sync_connection.info
        self._used = time.monotonic()
        self._silent = False

    @classmethod
    async def connect(cls, engine: AsyncEngine, seconds: float, *, alone: bool = False) -> Line:
        """Connect.

        :param alone: each statement is a transaction of its own.
        :raises TimeoutError: there was no answer.
        :raises DBAPIError: the server lets nobody in.
        """
        made: list[asyncpg.Connection] = []
        token = _made.set(made)
        try:
            async with asyncio.timeout(seconds):
                connection = await engine.connect()
                if alone:
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
        except BaseException as error:
            for driver in made:
                driver.terminate()
            if isinstance(error, _UNWRAPPED):
                raise DBAPIError("connect", None, error) from error
            raise
        finally:
            _made.reset(token)
        return cls(connection, made[-1])

    @property
    def closed(self) -> bool:
        """Tell whether it is no connection any more, as far as is known here."""
        return bool(self._driver.is_closed())

    @property
    def process(self) -> int:
        """Return the id of the server's process at its other end."""
        return int(self._driver.get_server_pid())

    async def is_alive(self) -> bool:
        """Tell whether it is a connection; the server is asked where it was not used for long."""
        if self.closed:
            return False
        if time.monotonic() - self._used < _UNSURE:
            return True
        with contextlib.suppress(Exception):
            await self.do(_ping, _PING_SECONDS)
            return True
        return False

    async def do(self, work: Callable[[Connection], _T], seconds: float) -> _T:
        """Do some work on it.

        :param seconds: how long the server may leave a statement of it unanswered.
        :raises TimeoutError: it did, and the connection is cut.
        """
        loop = asyncio.get_running_loop()
        self._info["asked"] = time.monotonic()

        timer: asyncio.TimerHandle

        def look() -> None:
            nonlocal timer
            left = self._info["asked"] + seconds - time.monotonic()
            if left > 0:
                timer = loop.call_later(left, look)
            else:
                self._silent = True
                self.cut()

        timer = loop.call_later(seconds, look)
        try:
            return await self._connection.run_sync(work)
        except Exception as error:
            if self._silent:
                raise TimeoutError("the database server does not answer") from error
            if isinstance(error, _UNWRAPPED):
                raise DBAPIError("", None, error) from error
            raise
        finally:
            timer.cancel()
            self._used = time.monotonic()

    def cut(self) -> None:
        """Let go of it at once: whatever waits for an answer gets an error."""
        self._driver.terminate()

    async def close(self) -> None:
        """Let go of it in order, where the server takes part in that."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._connection.close()
        except Exception:  # noqa: BLE001 - it is gone either way
            self.cut()
            with contextlib.suppress(Exception):
                await self._connection.close()


def _ping(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
    connection.rollback()
