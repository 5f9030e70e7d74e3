"""What the handlers work with, from the first use to the server's end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import closing
from .closing import close_part
from .engine import Engine

if TYPE_CHECKING:
    from .local_model.installing import Installing
    from .models import Models
    from .store.sql import SqlStore


log = logging.getLogger(__name__)

#: Where Linux names this life of the kernel.
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Services:
    """Hold what the handlers hand on to."""

    engine: Engine
    store: SqlStore
    models: Models
    installing: Installing

    async def close(self) -> None:
        """Stop and save what runs, then let go of everything: the store last, and always."""
        async with AsyncExitStack() as stack:
            for name, close in (
                ("the store", self.store.close),
                ("the models", self.models.close),
                ("the installation", self.installing.close),
                ("the engine", self.engine.shutdown),
            ):
                stack.push_async_callback(close_part, name, close)


async def end_services(made: asyncio.Task[Services]) -> None:
    """Close the services, also while they are being made: that is not waited for for ever.

    :param made: what makes them.
    """
    await asyncio.wait({made}, timeout=closing.PATIENCE_S)
    if not made.done():
        log.error("the chat was still being started at the server's end: not waited for")
        made.cancel()
        await asyncio.wait({made}, timeout=closing.PATIENCE_S)
    if made.done() and not made.cancelled() and made.exception() is None:
        await made.result().close()


def owner_process() -> str:
    """Name this server process, so that what it leaves behind can be told from what runs.

    Its host is a kernel and a name, since a lock that one process holds need not be seen from
    another machine that is called the same. Blocks on the disk.
    """
    host = socket.gethostname()[:100]  # the column has room for 200 characters in all
    with suppress(OSError):
        host += f".{BOOT_ID.read_text().strip()}"
    # Containers have the same process ids in each of their lives, and may start at once.
    return f"{host}:{os.getpid()}:{uuid.uuid4().hex}"
