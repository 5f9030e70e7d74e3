"""Where a database server is, and what the driver and each session are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import asyncpg
from sqlalchemy import URL

#: So long a database server may take to let somebody in.
CONNECT_SECONDS = 5.0
#: So long one statement may take, by the server's own clock.
STATEMENT_SECONDS = 10.0
#: So long a transaction may wait for its next statement: a process that is halted in the middle
#: of one must not keep its locks for ever.
IDLE_SECONDS = 60.0
#: Drivers call it one thing or the other.
_PATIENCE = ("connect_timeout", "timeout")
_CACHES = ("prepared_statement_cache_size", "statement_cache_size")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database server is.

    :ivar given: what the driver takes by name.
    :ivar rest: what else the URL says, as libpq calls it: TLS, and settings of the session.
    :ivar connect_seconds: how long it may take to let somebody in.
    :ivar pooled: whether something stands in between that gives each transaction another session:
        then nothing may be kept in one.
    """

    given: Mapping[str, Any]
    rest: Mapping[str, str]
    connect_seconds: float
    pooled: bool

    @classmethod
    def of(cls, url: URL) -> Address:
        """Read a URL, as people write it for libpq, for SQLAlchemy or for the driver.

        :raises ValueError: a number in it is none.
        """
        query = {
            name: value if isinstance(value, str) else value[-1]
            for name, value in url.query.items()
        }
        place = {name: url.query[name] for name in ("host", "port") if query.pop(name, None)}
        _, given = url.get_dialect()().create_connect_args(url.set(query=place))
        seconds = [float(query.pop(name)) for name in _PATIENCE if name in query]
        cached = [int(query.pop(name)) for name in _CACHES if name in query]
        if "ssl" in query:
            query.setdefault("sslmode", query.pop("ssl"))
        return cls(given, query, (*seconds, CONNECT_SECONDS)[0], 0 in cached)

    async def connect(
        self, lock_seconds: float, statement_seconds: float = STATEMENT_SECONDS
    ) -> asyncpg.Connection:
        """Begin a session.

        :param lock_seconds: how long a statement waits for another's lock.
        :param statement_seconds: how long one may take in all; 0: for ever.
        """
        settings = {"application_name": "jupyter-stop-chat"}
        more: dict[str, Any] = {}
        if self.pooled:
            more = {"statement_cache_size": 0, "connection_class": PooledConnection}
        else:
            settings |= {
                "default_transaction_isolation": "read committed",
                "lock_timeout": _milliseconds(lock_seconds),
                "statement_timeout": _milliseconds(statement_seconds),
                "idle_in_transaction_session_timeout": _milliseconds(IDLE_SECONDS),
            }
        return await asyncpg.connect(
            f"postgresql://?{urlencode(self.rest)}" if self.rest else None,
            timeout=self.connect_seconds,
            server_settings={
                name: value for name, value in settings.items() if name not in self.rest
            },
            **self.given,
            **more,
        )

    def dialect_args(self) -> dict[str, Any]:
        """Return what SQLAlchemy's part of the driver is told."""
        if not self.pooled:
            return {}
        # Without a name it lasts for the transaction, in which it is all of one session.
        return {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}


class PooledConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection to what gives each transaction another session."""

    __slots__ = ()

    async def set_type_codec(self, *args: Any, **options: Any) -> None:
        """Look up a type within one session, and say how its values are read."""
        async with self.transaction():
            await super().set_type_codec(*args, **options)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
