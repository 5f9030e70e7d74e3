"""What a process has used, and what the machine is."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import time
from pathlib import Path

import psutil

CPUINFO = Path("/proc/cpuinfo")


def processor(pid: int) -> float:
    """Return the processor time that a process has used, user and system, in seconds.

    :param pid: the process.
    """
    if sys.platform == "linux":
        # The same sum as psutil's, which comes in steps of 10 ms: too coarse for one stream.
        return time.clock_gettime((~pid << 3) | 2)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def memory(pid: int) -> float:
    """Return a process's resident memory in KiB.

    :param pid: the process.
    """
    return float(psutil.Process(pid).memory_info().rss / 1024)


def machine() -> str:
    """Describe the machine in one line."""
    model = platform.processor() or platform.machine()
    if CPUINFO.exists():
        for line in CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return (
        f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}"
    )
