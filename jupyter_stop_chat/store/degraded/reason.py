"""What a database's failure means, and what to do with a file that is damaged."""

from __future__ import annotations

import errno
import os
import sqlite3
import ssl
from collections.abc import Awaitable
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from socket import gaierror
from typing import TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

_T = TypeVar("_T")


class Reason(StrEnum):
    """Why nothing can be written for now."""

    DISK_FULL = "disk_full"
    LOCKED = "locked"
    READ_ONLY = "read_only"
    CORRUPT = "corrupt"
    SEARCH_CORRUPT = "search_corrupt"
    MISSING = "missing"
    IO_ERROR = "io_error"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    NEWER = "newer"
    FAILED = "failed"


class NewerDatabaseError(Exception):
    """A newer version of this package made the database: this one must not write to it.

    :param revision: the schema's, which is not known here.
    """

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"a newer version of jupyter-stop-chat made its schema {revision}; the database is "
            "left as it is, update the package"
        )


class DamagedDatabaseError(Exception):
    """What is where the database should be is none."""


_MAGIC = b"SQLite format 3\0"
#: SQLite's names, most particular first: the first that begins an error's name counts.
_SQLITE = {
    "SQLITE_FULL": Reason.DISK_FULL,
    "SQLITE_BUSY": Reason.LOCKED,
    "SQLITE_LOCKED": Reason.LOCKED,
    "SQLITE_READONLY": Reason.READ_ONLY,
    "SQLITE_PERM": Reason.READ_ONLY,
    "SQLITE_AUTH": Reason.READ_ONLY,
    "SQLITE_CORRUPT_VTAB": Reason.SEARCH_CORRUPT,
    "SQLITE_CORRUPT": Reason.CORRUPT,
    "SQLITE_NOTADB": Reason.CORRUPT,
    "SQLITE_CANTOPEN": Reason.MISSING,
    "SQLITE_IOERR": Reason.IO_ERROR,
}
_ERRNO = {
    errno.ENOSPC: Reason.DISK_FULL,
    errno.EDQUOT: Reason.DISK_FULL,
    errno.EFBIG: Reason.DISK_FULL,
    errno.EROFS: Reason.READ_ONLY,
    errno.EACCES: Reason.READ_ONLY,
    errno.EPERM: Reason.READ_ONLY,
    errno.ENOENT: Reason.MISSING,
    errno.ENOTDIR: Reason.MISSING,
    errno.EEXIST: Reason.MISSING,
    errno.EISDIR: Reason.MISSING,
}


#: A database server's codes, most particular first: whatever it refuses, but for values that
#: cannot be (None), is no fault of what was asked.
_SQLSTATE = {
    "08P01": Reason.REFUSED,  # a pooler takes no settings of a session
    "22": None,
    "23": None,
    "25006": Reason.READ_ONLY,
    "28": Reason.REFUSED,  # a wrong password
    "3D000": Reason.REFUSED,  # there is no such database
    "40": Reason.LOCKED,
    "42501": Reason.REFUSED,  # the role has no right to it
    "53100": Reason.DISK_FULL,
    "55P03": Reason.LOCKED,
}


def reason_of(error: BaseException) -> Reason | None:
    """Say why the database failed; None when it is not the database that did.

    :param error: what an operation raised.
    """
    if isinstance(error, NewerDatabaseError):
        return Reason.NEWER
    if isinstance(error, DamagedDatabaseError):
        return Reason.CORRUPT
    cause = getattr(error, "orig", None) or error
    name = getattr(cause, "sqlite_errorname", None)
    if name:
        for beginning, reason in _SQLITE.items():
            if name.startswith(beginning):
                return reason
    # An error of TLS bears a number that is none of the system's.
    if isinstance(cause, ssl.SSLError):
        return Reason.REFUSED
    if isinstance(cause, ConnectionError | TimeoutError | gaierror):
        return Reason.UNREACHABLE
    if isinstance(cause, OSError):
        return _ERRNO.get(cause.errno or 0, Reason.IO_ERROR)
    if isinstance(cause, sqlite3.IntegrityError) or isinstance(error, IntegrityError | DataError):
        return None
    code = sqlstate_of(error)
    for beginning, found in _SQLSTATE.items():
        if code.startswith(beginning):
            return found
    # Of PostgreSQL's errors most come as no particular kind: that it shuts down, or is full.
    if isinstance(error, DBAPIError | sqlite3.Error):
        return Reason.FAILED
    return None


def told_of(reason: Reason, error: BaseException) -> str:
    """Return a reason as the log has it.

    Why a database server lets nobody in is told in its own words, which hold no password.
    """
    if reason not in {Reason.REFUSED, Reason.NEWER}:
        return reason
    words = str(getattr(error, "orig", None) or error).partition("\n")[0]
    return f"{reason}: {words}"


def sqlstate_of(error: BaseException) -> str:
    """Return a database server's code of an error; empty where it has none."""
    cause = getattr(error, "orig", None) or error
    return str(getattr(cause, "sqlstate", None) or "")


def may_be_sqlite(path: Path) -> bool:
    """Tell whether a file is empty or begins as a SQLite database does. Blocks."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) in {b"", _MAGIC}


def diagnose(path: Path) -> Reason:
    """Examine a SQLite file that an error called damaged. Blocks, and reads all of it.

    :returns: `corrupt`, `search_corrupt` when only the search index is, or `failed` when the
        file is sound after all.
    """
    try:
        if not may_be_sqlite(path):
            return Reason.CORRUPT
        # Read only: the last writer to close would take the log away.
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(20)")]
    except (sqlite3.DatabaseError, OSError) as error:
        return reason_of(error) or Reason.FAILED  # another process's lock, say, is no damage
    if found == ["ok"]:
        return Reason.FAILED
    if all("FTS5" in line for line in found):
        return Reason.SEARCH_CORRUPT
    return Reason.CORRUPT


def set_aside(path: Path) -> Path:
    """Rename a damaged database and what belongs to it; nothing is ever deleted.

    :returns: its new name.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    count = 1
    while aside.exists():
        count += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{count}")
    for ending in ("-wal", "-shm", "-journal", ""):
        belonging = path.with_name(path.name + ending)
        if belonging.exists():
            os.replace(belonging, aside.with_name(aside.name + ending))
    return aside


def unreadable(error: Exception) -> StopChatError:
    """Make the error that a client may hear of when the database cannot be read."""
    return StopChatError(
        ErrorCode.NOT_READABLE, f"the database cannot be read: {reason_of(error)}"
    )


async def as_far(question: Awaitable[_T], otherwise: _T) -> _T:
    """Ask the database; where it cannot be read, go on with another answer."""
    try:
        return await question
    except Exception as error:
        if reason_of(error) is None:
            raise
        return otherwise
