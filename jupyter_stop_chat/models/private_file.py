"""A small JSON file that the server's user alone can read, and that is never half written."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

from jupyter_core.paths import secure_write


def stamp_of(path: Path) -> object:
    """Return what changes with a file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def write_anew(path: Path, held: Any) -> None:
    """Write a file anew, in one step.

    :raises OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with secure_write(str(fresh)) as file:
            json.dump(held, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
