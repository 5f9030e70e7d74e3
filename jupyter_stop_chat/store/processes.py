"""Tell whether the server process that was making a message is still there.

On one host a file's lock says so: each server process holds one as long as it lives, and the
kernel lets go of it however the process ends. A process id could be in use again, and a
container starts with the same ids every time. Another host cannot see that lock, so there the
time at which the process was last seen decides.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such lock: there the time decides.
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

#: A process writes that it is alive this often, in seconds, while it makes messages …
BEAT_SECONDS = 20
#: … and is gone when that was this long ago.
GONE_SECONDS = 60


class ProcessLock:
    """Hold the lock that says that this process lives.

    :param folder: where the locks of a database are; None where there can be none.
    :param process: the id of this server process.
    """

    def __init__(self, folder: Path | None, process: str) -> None:
        self._path = None if folder is None or fcntl is None else _lock_file(folder, process)
        self._descriptor: int | None = None

    def hold(self) -> bool:
        """Take the lock; tell whether it is held now. Blocks on the disk.

        Where there can be none, the time at which this process was last seen does.
        """
        if self._path is None:
            return False
        if self._descriptor is not None:
            return True
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            log.warning("No lock says that this server runs: %s", type(error).__name__)
            return False
        if _lock(descriptor) is not True:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let go of the lock. Blocks on the disk."""
        if self._descriptor is None or self._path is None:
            return
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)
        self._descriptor = None


def lock_folder(database: Path | None) -> Path | None:
    """Return where the locks of a database file are."""
    return None if database is None else database.with_name(f"{database.name}.processes")


def is_gone(process: str | None, *, ours: str, folder: Path | None, seen_at: int | None) -> bool:
    """Tell whether a server process has ended. Blocks on the disk.

    :param process: its id, as `<host>:<pid>:<start>`.
    :param ours: the id of this process, for its host.
    :param folder: where the locks are.
    :param seen_at: when it was last seen, in Unix seconds.
    """
    if process is None:
        return True
    if folder is not None and fcntl is not None and _host(process) == _host(ours):
        locked = _is_locked(_lock_file(folder, process))
        if locked is not None:
            return not locked
    return seen_at is None or time.time() - seen_at > GONE_SECONDS


def _host(process: str) -> str:
    return process.rsplit(":", 2)[0]


def _lock_file(folder: Path, process: str) -> Path:
    return folder / f"{hashlib.sha256(process.encode()).hexdigest()[:24]}.lock"


def _lock(descriptor: int) -> bool | None:
    """Take a lock: tell whether it is free, or None where there are no locks at all."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_locked(path: Path) -> bool | None:
    """Tell whether a process holds its lock, or None where there are no locks at all."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False  # it ended in good order
    except OSError:
        return None
    try:
        free = _lock(descriptor)
        if free:
            # What a killed process left behind.
            path.unlink(missing_ok=True)
        return None if free is None else not free
    finally:
        os.close(descriptor)
