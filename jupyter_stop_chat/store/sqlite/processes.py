"""Tell whether the server process that was making a message is still there.

On one host a file's lock says so: each server process holds one as long as it lives, and the
kernel lets go of it however the process ends. A process id could be in use again, and a
container starts with the same ids every time. Another host cannot see that lock, and not each
process could take one: there the time at which it was last seen decides. In doubt it lives, since
nothing that is being made may be ended by another.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such lock: there the time decides.
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

#: A process writes that it is alive this often, in seconds, while it makes messages …
BEAT_SECONDS = 5
#: … and is gone when that was this long ago.
GONE_SECONDS = 15


class ProcessLock:
    """The lock that says that this process lives.

    :param folder: where the locks of a database are; None where there can be none.
    :param process: the id of this server process.
    """

    def __init__(self, folder: Path | None, process: str) -> None:
        self._path = None if folder is None or fcntl is None else _lock_file(folder, process)
        self._descriptor: int | None = None
        self._warned = False

    def hold(self) -> bool:
        """Take the lock, anew where it was tidied away; tell whether it is held now.

        Where there can be none, the time at which this process was last seen does. Blocks on the
        disk.
        """
        if self._path is None:
            return False
        if self._descriptor is not None:
            if _is_at(self._descriptor, self._path):
                return True
            self._close()
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            self._warn(type(error).__name__)
            return False
        locked = _lock(descriptor)
        if locked and _is_at(descriptor, self._path):
            self._descriptor = descriptor
            return True
        if locked is None:
            self._warn("there are no locks")
            # Should locks work for another process later, this one must not look ended.
            with contextlib.suppress(OSError):
                self._path.unlink()
        os.close(descriptor)
        return False

    def release(self, *, finished: bool = False) -> None:
        """Release the lock. Blocks on the disk.

        :param finished: all that this process made has ended, so that nobody will ask for it.
            Otherwise its file stays, and says that it is gone.
        """
        if finished and self._descriptor is not None and self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _warn(self, why: str) -> None:
        if not self._warned:
            log.warning("No lock says that this server runs: %s", why)
        self._warned = True


def lock_folder(database: Path | None) -> Path | None:
    """Return where the locks of a database file are."""
    return None if database is None else database.with_name(f"{database.name}.processes")


def is_gone(
    process: str | None, *, ours: str, folder: Path | None, unseen_seconds: float | None
) -> bool:
    """Tell whether a server process has ended. Blocks on the disk.

    :param process: its id, as `<host>:<pid>:<what tells its lives apart>`.
    :param ours: the id of this process, for its host.
    :param folder: where the locks are.
    :param unseen_seconds: how long ago it was last seen, by the clock that wrote that down.
    """
    if process is None:
        return True
    if folder is not None and fcntl is not None and _host(process) == _host(ours):
        locked = _is_locked(_lock_file(folder, process))
        if locked is not None:
            return not locked
    return unseen_seconds is None or unseen_seconds > GONE_SECONDS


def clear_away(folder: Path | None, ended: Iterable[str | None]) -> None:
    """Remove the locks of processes that have ended, and left nothing behind. Blocks on the disk.

    :param folder: where the locks are.
    """
    if folder is None or fcntl is None:
        return
    for process in ended:
        if process is None:
            continue
        path = _lock_file(folder, process)
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDWR)
            try:
                if _lock(descriptor):
                    path.unlink()
            finally:
                os.close(descriptor)


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
    """Tell whether a process holds its lock, or None where nothing says so.

    A file that is not there says nothing: its process may have been unable to make it, or
    somebody has tidied up.
    """
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        free = _lock(descriptor)
        return None if free is None else not free
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether what is open is still the file that others find."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
