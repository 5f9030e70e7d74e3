"""Make a database ready: its folder, its file, its journal, its schema.

Everything here blocks, and is run in a thread of its own.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import URL, Connection, create_engine, event, inspect, make_url, text
from sqlalchemy.pool import NullPool

from jupyter_stop_chat.store.degraded.reason import (
    DamagedDatabaseError,
    NewerDatabaseError,
    may_be_sqlite,
)
from jupyter_stop_chat.store.migrations import HEAD
from jupyter_stop_chat.store.search.search import drop_search, ensure_search

log = logging.getLogger(__name__)

#: File systems that cannot share memory between hosts, which SQLite's WAL needs.
NETWORK = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs"}
    | {"nfs", "nfs4", "orangefs", "pvfs2", "smb2", "smb3", "smbfs"}
    | {"fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs"}
)
#: SQLite is used in threads of the store's own, with Python's own driver; and of PostgreSQL's
#: drivers there is one for all, whichever a URL names.
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+asyncpg"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a database was found to be able to do.

    :ivar journal: SQLite's journal mode; empty for another database.
    :ivar indexed: whether there is a search index.
    :ivar fresh: whether nothing had been there.
    """

    journal: str
    indexed: bool
    fresh: bool


def url_of(db_url: str) -> URL:
    """Read a database URL, and choose the driver that fits."""
    url = make_url(db_url)
    return url.set(drivername=_DRIVERS[url.get_backend_name()])


def file_of(url: URL) -> Path | None:
    """Return the file of a SQLite URL; None for a database in memory, or another kind."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    if not url.database.startswith("file:"):
        return Path(url.database)
    if url.query.get("mode") == "memory":
        return None
    return Path(unquote(url.database.removeprefix("file:").partition("?")[0]))


def file_system_of(path: Path, mounts: str | None = None) -> str:
    """Name the type of the file system that a path is on; empty when that is not known.

    :param mounts: the table of mounts, as in Linux's `/proc/mounts`.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(errors="replace")
        except OSError:
            return ""
    path = path.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        # Spaces and the like are written as octal escapes there.
        point = Path(fields[1].encode().decode("unicode_escape"))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind


def prepare(url: URL, *, busy_seconds: float, new_search: bool = False) -> Prepared:
    """Make the file that a URL names ready, whatever was there before.

    :param busy_seconds: how long to wait for another process's lock.
    :param new_search: make the search index anew, because it is damaged.
    :raises Exception: the database cannot be used; `reason_of` says why.
    """
    path = file_of(url)
    wal = True
    if path is not None and url.query.get("mode") != "ro":
        if not new_search or not path.exists():
            # Not while it is read: to close the file takes the locks of all connections to it.
            _make_file(path)
        wal = file_system_of(path) not in NETWORK
    engine = create_engine(
        url.set(drivername="sqlite"), poolclass=NullPool, connect_args={"timeout": busy_seconds}
    )

    @event.listens_for(engine, "connect")
    def _connect(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.connect() as connection:
            with connection.begin():
                # Before its journal is touched: what another version wrote is left as it is.
                _is_newest(connection)
            journal = _set_journal(connection, wal)
            with connection.begin():
                return make_ready(connection, journal, new_search)
    finally:
        engine.dispose()


def _make_file(path: Path) -> None:
    """Make the file and its folder, for nobody else to read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if not may_be_sqlite(path):
        # Seen here, since SQLite would delete the log beside such a file.
        raise DamagedDatabaseError("not a SQLite file")


def _set_journal(connection: Connection, wal: bool) -> str:
    driver = connection.connection.driver_connection
    assert driver is not None
    wanted = "wal" if wal else "delete"
    try:
        journal = str(driver.execute(f"PRAGMA journal_mode={wanted}").fetchone()[0])
    except sqlite3.OperationalError:
        # Another process uses the file in another mode, which is then ours as well.
        journal = str(driver.execute("PRAGMA journal_mode").fetchone()[0])
    return journal


def migrate(connection: Connection) -> None:
    """Bring the schema to its newest revision, inside the caller's transaction.

    :raises NewerDatabaseError: a newer version of this package made it.
    """
    if _is_newest(connection):
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    folder = Path(__file__).resolve().parent.parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_newest(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found > HEAD:
        raise NewerDatabaseError(found)
    return bool(found == HEAD)


def make_ready(connection: Connection, journal: str, new_search: bool) -> Prepared:
    """Make what is missing, inside the caller's transaction.

    :param journal: SQLite's journal mode.
    """
    fresh = not inspect(connection).has_table("chats")
    migrate(connection)
    if new_search:
        drop_search(connection)
    return Prepared(journal, ensure_search(connection), fresh)
