"""Make a database on a server ready: its tables, and its search index."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, text

from jupyter_stop_chat.store.degraded.reason import NewerDatabaseError
from jupyter_stop_chat.store.migrations import HEAD
from jupyter_stop_chat.store.sqlite.prepare import Prepared, make_ready

from .address import Address
from .line import engine_of

#: Held while the tables are made: two servers may begin at the same moment.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('jupyter_stop_chat'), 0)")
#: … for so long at most.
_PATIENT = text("SET LOCAL lock_timeout = '30s'")
_THERE = text("SELECT to_regclass('alembic_version'), to_regclass('messages_search')")
_VERSION = text("SELECT version_num FROM alembic_version")
#: What every change touches; who may not, or would have to wait, is told so at once.
_TOUCH = text("LOCK TABLE chats, messages, deltas, processes IN ROW EXCLUSIVE MODE NOWAIT")


def is_ready(connection: Connection) -> bool:
    """Tell whether there is nothing to be made.

    :raises NewerDatabaseError: a newer version of this package made the tables.
    """
    revisions, index = connection.execute(_THERE).one()
    if revisions is None:
        return False
    found = connection.execute(_VERSION).scalar()
    if found is not None and found > HEAD:
        raise NewerDatabaseError(found)
    return bool(found == HEAD and index is not None)


def try_to_write(connection: Connection) -> None:
    """Raise what a change would fail with."""
    if is_ready(connection):
        connection.execute(_TOUCH)


def prepare(address: Address, lock_seconds: float) -> Prepared:
    """Make what is missing. Blocks, and may take as long as it takes.

    :param lock_seconds: how long to wait for another's lock.
    """
    return asyncio.run(_prepare(address, lock_seconds))


async def _prepare(address: Address, lock_seconds: float) -> Prepared:
    engine = engine_of(address, lock_seconds, statement_seconds=0)
    try:
        async with engine.begin() as connection:
            await connection.execute(_PATIENT)
            await connection.execute(_LOCK)
            await connection.execute(
                text(f"SET LOCAL lock_timeout = {round(lock_seconds * 1000)}")
            )
            return await connection.run_sync(make_ready, "", False)
    finally:
        await engine.dispose()
