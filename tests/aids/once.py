"""What all tests need and what takes long: made once, and shared."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jupyter_server.serverapp
import pytest
from jupyter_events.schema import EventSchema
from jupyter_events.schema_registry import SchemaRegistry
from sqlalchemy import Connection
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

from jupyter_stop_chat.store.sqlite import prepare


@pytest.fixture(scope="session", autouse=True)
def certificates_are_read_once() -> Iterator[None]:
    """Share one TLS context among the clients: to read the certificates takes each 20 ms.

    HTTPX before 0.28 looks for them on the disk as well, which would block the loops on which
    tests make models; a server makes its models in threads.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        if hasattr(httpx._config, "SSLConfig"):
            shared = functools.cache(httpx.create_ssl_context)
            patch.setattr(httpx._transports.default, "create_ssl_context", shared)
            httpx.AsyncClient()
        yield


@pytest.fixture(scope="session", autouse=True)
def statements_are_compiled_once() -> Iterator[None]:
    """Share what SQLAlchemy compiles among the engines: each of a thousand stores has its own.

    A fifth of what the tests computed was that. What it compiles depends on the dialect, of which
    two of one class differ by the server's version alone, and each of these is one here.
    """
    shared = LRUCache(2000)
    with pytest.MonkeyPatch.context() as patch:
        compiled = property(lambda self: shared, lambda *_: None)
        patch.setattr(Engine, "_compiled_cache", compiled, raising=False)
        patch.setattr(DefaultDialect, "__eq__", lambda self, other: type(self) is type(other))
        patch.setattr(DefaultDialect, "__hash__", lambda self: hash(type(self)))
        yield


@pytest.fixture(scope="session", autouse=True)
def servers_are_described_once() -> Iterator[None]:
    """Share among the servers the schemas of their events, and of which commit Jupyter Server is.

    A fourth of what it takes to make a server was to read these, and to ask Git.
    """
    register, described = SchemaRegistry.register, functools.cache(EventSchema)

    def register_read(self: SchemaRegistry, schema: Any) -> EventSchema:
        return register(self, described(schema) if isinstance(schema, Path) else schema)

    with pytest.MonkeyPatch.context() as patch:
        told = functools.cache(jupyter_server.serverapp.get_sys_info)
        patch.setattr(jupyter_server.serverapp, "get_sys_info", told)
        patch.setattr(SchemaRegistry, "register", register_read)
        yield


@pytest.fixture(scope="session", autouse=True)
def tables_are_made_once() -> Iterator[None]:
    """Take the first SQLite database of all through the revisions, and copy its tables for others.

    To go through them takes each 40 ms. A database in which there is anything goes through those
    that it lacks; so does every one of another process.
    """
    migrate = prepare.migrate
    made: list[str] = []

    def migrate_or_copy(connection: Connection) -> None:
        if connection.dialect.name != "sqlite" or _has_anything(connection):
            migrate(connection)
            return
        driver = connection.connection.driver_connection
        assert driver is not None
        for statement in made:
            driver.execute(statement)
        if not made:
            migrate(connection)
            # Without the transaction around all, which is the caller's.
            made[:] = list(driver.iterdump())[1:-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "migrate", migrate_or_copy)
        yield


def _has_anything(connection: Connection) -> bool:
    return bool(connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar())
