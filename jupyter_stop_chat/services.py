"""The engine and what it works with: how they are made, and how they end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import closing
from .bus.local import LocalBus
from .closing import close_part
from .engine import Engine, EngineLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jupyter_events import EventLogger

    from .engine.titles import TitleMode
    from .local_model.installing import Installing
    from .models import Models, Rules
    from .store.sql import SqlStore
    from .wire.objects import Message, Policy


log = logging.getLogger(__name__)

#: Where Linux names this life of the kernel.
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings want of the services.

    :ivar data_folder: where models, keys and, without a `db_url`, chats lie.
    :ivar db_url: where chats are kept, as SQLAlchemy writes it.
    :ivar parameters: for `init_chat_model`, by provider or by model id.
    :ivar rules: returns what is said of models; asked each time, since settings may change.
    :ivar local: the limits of the built-in model's process.
    :ivar policy: what becomes of a prompt sent while a reply is being made.
    :ivar event_logger: the server's, where it has one.
    """

    data_folder: Path
    db_url: str
    parameters: Mapping[str, Any]
    rules: Callable[[], Rules]
    local: Mapping[str, float]
    limits: EngineLimits
    policy: Policy
    titles: TitleMode
    event_logger: EventLogger | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """The engine and what it works with, which the handlers hand on to."""

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


async def make_services(wanted: Wanted) -> Services:
    """Make the engine and what it works with; what they import, they import in a thread."""
    from .local_model.installing import Installing
    from .models import Models
    from .observe import events, metrics
    from .observe.notices import watch_store
    from .store import make_store

    bus = LocalBus()
    process = await asyncio.to_thread(owner_process)
    store = await make_store(wanted.db_url, owner_process=process)
    watch_store(store, bus)
    models = Models(
        wanted.data_folder,
        parameters=dict(wanted.parameters),
        max_stuck=wanted.limits.max_stuck,
        rules=wanted.rules,
        local=dict(wanted.local),
    )
    left: list[Message] = []
    hear: Callable[[Sequence[Message]], None] = left.extend
    try:
        await store.open(lambda messages: hear(messages))  # noqa: PLW0108 - it is set below
        await models.refresh()
    except BaseException:  # the server may end meanwhile
        await close_part("the store", store.close)
        raise
    engine = Engine(
        store,
        bus,
        models.resolve,
        models.choose,
        wanted.limits,
        wanted.policy,
        titles=wanted.titles,
    )
    hear = engine.left_behind
    hear(left)
    metrics.watch(engine)
    store.on_commit = metrics.commit_seconds.observe
    if wanted.event_logger is not None:
        engine.bus.watch(events.recorder(wanted.event_logger))
    return Services(engine, store, models, Installing(wanted.data_folder))


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
