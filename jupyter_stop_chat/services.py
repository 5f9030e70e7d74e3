"""What the handlers work with, from the first use to the server's end."""

from __future__ import annotations

import os
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .closing import close_part
from .engine import Engine

if TYPE_CHECKING:
    from .local_model.installing import Installing
    from .models import Models
    from .store.sql import SqlStore


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


def owner_process() -> str:
    """Name this server process, so that what it leaves behind can be told from what runs."""
    started = f"{datetime.now(UTC).timestamp():.0f}"
    return f"{socket.gethostname()}:{os.getpid()}:{started}"
