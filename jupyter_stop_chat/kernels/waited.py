"""The process that a cell waits for in C code, as `os.system` does, where no signal ends the wait.

It runs in the kernel, as a part of `in_kernel.py`: Python 3.8 or later, and nothing of ours. On
other systems than Linux nothing is found.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

#: How Linux names the calls that wait for one process, on the machines that it runs on: `wait4`.
_WAIT4 = frozenset({61, 260, 114})


def interrupt_waited_for(done: set[Any], still: Callable[[], bool]) -> None:
    """Interrupt the process that the main thread waits for, and all that this one has begun.

    :param done: those that were already.
    :param still: tells whether the main thread is where it may be interrupted.
    """
    pid = waited_for()
    if pid is None or not hasattr(os, "pidfd_open"):
        return
    for each, parent in [*begun_by(pid), (pid, os.getpid())]:
        if each in done:
            continue
        try:
            held = os.pidfd_open(each)
        except OSError:
            continue
        try:
            # While it is held, its number is nobody else's. Is all as it was?
            if (
                parent_of(each) == parent
                and waited_for() == pid
                and still()
                and waited_for() == pid
            ):
                done.add(each)
                signal.pidfd_send_signal(held, signal.SIGINT)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            pass
        finally:
            os.close(held)


def waited_for() -> int | None:
    """Return the process that the main thread waits for; None where it does something else."""
    main = threading.main_thread().native_id
    try:
        with open(f"/proc/self/task/{main}/syscall", encoding="ascii") as file:
            number, first, *_ = [*file.read().split(), "", ""]
        pid = int(first, 16) if number.isdigit() and int(number) in _WAIT4 else 0
    except (OSError, ValueError):
        return None
    return pid if 0 < pid < 2**31 else None


def parent_of(pid: int) -> int | None:
    """Return which process has begun another; None where that is not known."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def begun_by(pid: int) -> list[tuple[int, int]]:
    """Return the processes that one has begun, and those that they have, each with its parent."""
    all_of = [(int(each), parent_of(int(each))) for each in os.listdir("/proc") if each.isdigit()]
    found, known = [], [pid]
    for parent in known:
        of = [each for each, its in all_of if its == parent]
        found += [(each, parent) for each in of]
        known += of
    return found
