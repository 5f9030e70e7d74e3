"""The heartbeat of a process: it says that it lives, and finds who does not any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select, update

from jupyter_stop_chat.store import blobs
from jupyter_stop_chat.store.operations import NOBODY
from jupyter_stop_chat.store.schema import IS_LIVE, NOW_SECONDS, chats, messages, processes
from jupyter_stop_chat.store.sqlite.processes import BEAT_SECONDS
from jupyter_stop_chat.wire.times import now

if TYPE_CHECKING:
    from jupyter_stop_chat.store.degraded.saving import Saver

#: Pictures that were never sent are looked for so often, in beats: some minutes.
SWEEP_BEATS = 30
#: On a file a process that makes nothing only looks at each so many beats: nobody waits for it.
IDLE_BEATS = 4
#: When a process that has not been seen is forgotten.
FORGET_SECONDS = 24 * 3600


class Heartbeat:
    """What notes from time to time that this process lives.

    :param is_idle: tells whether nobody needs to know now.
    :param sweep: deletes pictures that nobody sent.
    """

    def __init__(
        self, saver: Saver, is_idle: Callable[[], bool], sweep: Callable[[], Awaitable[None]]
    ) -> None:
        self._sweep = sweep
        self._saver = saver
        self._is_idle = is_idle
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to beat."""
        self._task = asyncio.create_task(self._go_on(), name="stop-chat-store-beat")

    async def stop(self) -> None:
        """End it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _go_on(self) -> None:
        for turn in count(1):
            await asyncio.sleep(BEAT_SECONDS)
            if turn % SWEEP_BEATS == 0:
                with contextlib.suppress(Exception):
                    await self._sweep()
            if turn % IDLE_BEATS and self._is_idle():
                continue
            with contextlib.suppress(Exception):
                await self._saver.check()
                await self.beat()
                await self._saver.recover()

    async def beat(self) -> None:
        """Note that this process lives."""
        await self._saver.hold_lock()
        await self._saver.beat()


def beat(connection: Connection, process: str) -> None:
    """Note that this process is alive."""
    found = connection.execute(
        update(processes).where(processes.c.id == process).values(seen_at=NOW_SECONDS)
    )
    if not found.rowcount:
        # The rows of processes that are long gone are swept out here, once a process.
        connection.execute(
            delete(processes).where(
                processes.c.seen_at < NOW_SECONDS - FORGET_SECONDS,
                processes.c.id.not_in(
                    select(messages.c.process).where(IS_LIVE, messages.c.process.is_not(None))
                ),
            )
        )
        blobs.sweep(connection)
        # And so is what a server that died was bringing in.
        connection.execute(
            delete(chats).where(
                chats.c.owner == NOBODY, chats.c.updated_at < now(seconds=-FORGET_SECONDS)
            )
        )
        connection.execute(insert(processes).values(id=process, seen_at=NOW_SECONDS))
