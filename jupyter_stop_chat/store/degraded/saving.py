"""Save what is written, or keep it in memory while that fails, and save it once it works again."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from jupyter_stop_chat.ports.spending import Prices
from jupyter_stop_chat.ports.store import Making
from jupyter_stop_chat.store.database import Database
from jupyter_stop_chat.store.operations import Beat, Operation
from jupyter_stop_chat.store.processes.recovery import ends_of
from jupyter_stop_chat.store.reading import Reader
from jupyter_stop_chat.store.rows import LIVE_MESSAGES
from jupyter_stop_chat.store.schema import spending
from jupyter_stop_chat.store.spending import all_days
from jupyter_stop_chat.store.sqlite.processes import ProcessLock, clear_away, is_gone, lock_folder
from jupyter_stop_chat.store.sqlite.salvage import salvage
from jupyter_stop_chat.store.tools.left import LEFT_RUNNING
from jupyter_stop_chat.store.writer import GroupThen, Take, Writer
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError, new_error_id
from jupyter_stop_chat.wire.objects import Message

from .copying import ChatRows, read_chat
from .held import Held
from .overlay import Overlay
from .reason import Reason, as_far, diagnose, reason_of, set_aside, told_of
from .restore import apply_again, write_anew

log = logging.getLogger(__name__)

#: How long to wait before each try to save, in seconds; the last one counts for all that follow.
RETRIES = (0.5, 1.0, 2.0, 5.0)
#: What may be kept in memory, in bytes, before appended text has to wait.
MEMORY_SIZE = 256 * 1024 * 1024

Sleep = Callable[[float], Awaitable[None]]
Recovered = Callable[[Sequence[Message]], None]


class Saver:
    """The one place that writes to a database.

    :param database: where to.
    :param process: the id of this server process.
    :param sleep: how to wait between tries.
    :param on_degraded: told once when saving fails, and once when it works again.
    :param making: returns what is being made.
    :ivar reason: why nothing can be saved now, or None.
    :ivar held: what is kept meanwhile.
    :ivar set_aside: the names of damaged files.
    """

    def __init__(
        self,
        database: Database,
        process: str,
        sleep: Sleep,
        on_degraded: Callable[[bool], None],
        making: Callable[[], Sequence[Making]],
        prices: Prices,
    ) -> None:
        self.reason: Reason | None = None
        self.held: Held | None = None
        self.set_aside: list[str] = []
        self.writer = Writer(self._commit, self._submit)
        self._database = database
        self._process = process
        self._sleep = sleep
        self._on_degraded = on_degraded
        self._making = making
        self._prices = prices
        self._on_recovered: Recovered = lambda messages: None
        self._folder = lock_folder(database.path)
        self._lock = ProcessLock(self._folder, process)
        self._held = False
        self._damaged: Path | None = None
        #: Whether nobody has looked yet for what an earlier life of this process left behind.
        self._first = True
        #: Whether the database was lost, or replaced: it knows nothing of what is being made.
        self._anew = False
        self._retrying: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._over.set()
        #: Since when all is well: before, the others could not say either that they live.
        self._well_since = -math.inf

    @property
    def degraded(self) -> bool:
        """Tell whether chats are kept in memory, for they cannot be saved."""
        return self.reason is not None

    async def open(self, on_recovered: Recovered) -> None:
        """Make the database ready, or begin degraded."""
        self._on_recovered = on_recovered
        self.writer.start()
        await self.writer.run(self._open)

    async def close(self) -> None:
        """Save what is left, and let go of everything."""
        if not self.writer.running:
            return
        if self.degraded:
            await self.writer.run(self._try_again)
        await self.writer.close()
        if self._retrying is not None:
            self._retrying.cancel()
            await asyncio.gather(self._retrying, return_exceptions=True)
            self._retrying = None
        if self.held is not None and len(self.held):
            log.critical("%d changes could not be saved: %s", len(self.held), self.reason)
        finished = not self.degraded and not await self._makes_any()
        self._over.set()
        await self._database.close()
        if self.held is not None:
            await self.held.close()
        await in_thread(lambda: self._lock.release(finished=finished))

    @property
    def full(self) -> bool:
        """Tell whether so much is kept in memory that appended text has to wait."""
        return self.held is not None and self.held.size > MEMORY_SIZE and self.writer.running

    async def has_room(self) -> None:
        """Return when more text may be appended."""
        while self.full:
            await self._over.wait()

    def reader(self) -> Reader:
        """Return what reads everything that was written so far."""
        return Reader(self._database) if self.held is None else Overlay(self._database, self.held)

    async def found_unreadable(self, reason: Reason, error: Exception) -> None:
        """Hear from a read that the database is damaged."""
        if not self.degraded:
            await self.writer.run(lambda: self._fail(reason, error))

    async def check(self) -> None:
        """Notice a file that was deleted or replaced: writes into the old one would be lost."""
        if not self.degraded and await self._database.is_replaced():
            gone = FileNotFoundError("the database's file was deleted or replaced")
            await self.writer.run(lambda: self._fail(Reason.MISSING, gone))

    async def beat(self) -> None:
        """Note that this process lives, where it makes messages now."""
        if await self.reader().makes_any():
            await self.writer.write(Beat())

    async def _makes_any(self) -> bool:
        return await as_far(self.reader().makes_any(), True)

    async def hold_lock(self) -> None:
        """Take the lock that says that this process lives, where it is not held any more."""
        await self.writer.run(self._hold_lock)

    async def recover(self) -> None:
        """Interrupt the messages that ended processes were making."""
        await self.writer.run(self._recover_again)

    async def _answers(self) -> bool:
        """Tell whether it is worth a try, before all that is written would have to wait for it."""
        try:
            await self._database.knock()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            self.reason = self.reason and (reason_of(error) or Reason.FAILED)
            return False
        return True

    # --- everything below runs in the writer, one at a time ----------------------------------

    async def _open(self) -> None:
        try:
            await self._connect()
            self._anew = False  # nothing is being made yet
            await self._recover()
        except Exception as error:  # noqa: BLE001 - whatever it is, the chat goes on
            await self._fail(reason_of(error) or Reason.FAILED, error)

    async def _recover_again(self) -> None:
        if self.degraded:
            return
        try:
            await self._recover()
        except Exception as error:
            reason = reason_of(error)
            if reason is None:
                raise
            await self._fail(reason, error)

    async def _connect(self) -> None:
        if await self._database.open(new_search=self.reason is Reason.SEARCH_CORRUPT):
            self._anew = True
        await self._hold_lock()
        await self._database.write([Beat()])

    async def _hold_lock(self) -> None:
        self._held = await in_thread(self._lock.hold)

    async def _recover(self) -> None:
        gone = await in_thread(self._gone, await self._database.read(LIVE_MESSAGES))
        left = await in_thread(self._gone, await self._database.read(LEFT_RUNNING))
        restarted, self._first = self._first, False
        if not gone and not left:
            return
        ends = await ends_of(self._database, self._prices, gone, left, restarted=restarted)
        answers = await self._database.write(ends)
        # Not sooner: until then they must be known for gone.
        await in_thread(clear_away, self._folder, set(gone.values()))
        try:
            self._on_recovered([message for message in answers if message is not None])
        except Exception:
            log.exception("on_recovered failed")

    def _gone(self, rows: Sequence[dict[str, Any]]) -> dict[str, str | None]:
        """Return the messages whose processes have ended, with those."""
        ended: dict[str | None, bool] = {}
        for row in rows:
            process = row["process"]
            if process not in ended:
                if process == self._process:
                    # It makes nothing yet: this is of an earlier life of its id, unless another
                    # store in this process holds the lock.
                    ended[process] = self._first and (self._held or self._folder is None)
                    continue
                unseen = row["unseen_seconds"]
                if unseen is not None:
                    unseen = min(unseen, time.monotonic() - self._well_since)
                ended[process] = is_gone(
                    process, ours=self._process, folder=self._folder, unseen_seconds=unseen
                )
        return {row["id"]: row["process"] for row in rows if ended[row["process"]]}

    def _submit(self, take: Take, then: GroupThen) -> bool:
        return not self.degraded and self._database.submit(take, then)

    async def _commit(
        self, group: Sequence[Operation], failed: BaseException | None = None
    ) -> Sequence[Any]:
        """Commit a group, or keep it in memory.

        :param failed: why it could not be committed just now.
        """
        mended, doubtful = False, failed is not None
        while self.held is None:
            try:
                if failed is not None:
                    raise failed
                return await self._database.write(group)
            except Exception as error:  # noqa: BLE001 - sorted here by what it means
                reason, failed = reason_of(error), None
                if reason is None:
                    if len(group) == 1:
                        return [_told(error)]
                    # One of them cannot be done, and took the others down with it.
                    return [(await self._commit([operation]))[0] for operation in group]
                await self._fail(reason, error, mend=not mended)
                mended = doubtful = True
        answers = await self.held.apply_all(group, doubtful=doubtful)
        return [_told(each) if isinstance(each, Exception) else each for each in answers]

    async def _fail(self, reason: Reason, error: Exception, *, mend: bool = True) -> None:
        """Begin to keep everything in memory; what can be mended at once, is.

        :param mend: whether that is tried.
        """
        if self.degraded:
            return
        held = Held(self._database, self._making, self._gone)
        await held.open()
        self.reason, self.held = reason, held
        self._over.clear()
        self._well_since = math.inf
        log.error(
            "Chats cannot be saved (%s); they are kept in memory. [%s]",
            told_of(reason, error),
            new_error_id(),
            exc_info=error,
        )
        self._tell(True)
        await self._stop_writing()
        self._database.patient = False
        if mend and reason in {Reason.CORRUPT, Reason.SEARCH_CORRUPT, Reason.MISSING}:
            await self._try_again()
        if self.degraded and self._retrying is None:
            self._retrying = asyncio.create_task(self._retry(), name="stop-chat-store-retry")

    async def _retry(self) -> None:
        tries = 0
        while self.degraded:
            await self._sleep(RETRIES[min(tries, len(RETRIES) - 1)])
            tries += 1
            if await self._answers():
                await self.writer.run(self._try_again)
        self._retrying = None

    async def _try_again(self) -> None:
        held = self.held
        if held is None:
            return
        try:
            if self.reason is Reason.CORRUPT:
                await self._examine()
            if self.reason is Reason.CORRUPT:
                await self._set_aside()
            elif self.reason in {Reason.MISSING, Reason.FAILED, Reason.UNREACHABLE}:
                await self._database.let_go()
            await self._connect()
            await self._salvage()
            # Before what is kept is written: until then, what this process makes is not there.
            await self._recover()
            await self._save(held)
        except Exception as error:
            self.reason = reason_of(error) or Reason.FAILED
            log.debug("Chats still cannot be saved (%s)", self.reason, exc_info=error)
            await self._stop_writing()
            return
        await self._database.wait_again()
        self.held, self.reason = None, None
        self._anew = False
        self._well_since = time.monotonic()
        self._over.set()
        log.warning("Chats are saved again.")
        self._tell(False)
        await held.close()

    async def _stop_writing(self) -> None:
        """Let go of what writes, and read no more from where no answer comes or makes sense."""
        await self._database.stop_writing()
        self._database.readable = self.reason not in {Reason.NEWER, Reason.UNREACHABLE}

    async def _save(self, held: Held) -> None:
        """Save what was kept; a database that was lost gets whole chats."""
        if not self._anew:
            done = held.operations
            await self._database.transact(
                lambda connection: apply_again(connection, done, self._process), long=True
            )
            return
        for each in self._making():
            await held.hold(each.chat.id)
        chats: dict[str, ChatRows | None] = {}
        for chat_id in held.chats:
            chats[chat_id] = await read_chat(held.memory, chat_id)
        whole = held.chats - held.partial
        days = all_days(await held.memory.read(select(spending)))
        await self._database.transact(
            lambda connection: write_anew(connection, chats, whole, days), long=True
        )

    async def _examine(self) -> None:
        """Look twice before a person's chats are set aside: an error may pass, a damage stays."""
        await self._database.close()
        if self._database.path is not None:
            self.reason = await in_thread(diagnose, self._database.path)

    async def _set_aside(self) -> None:
        if self._database.path is None:
            return
        aside = await in_thread(set_aside, self._database.path)
        self.set_aside.append(aside.name)
        self._damaged = aside
        log.error("The damaged database is kept as %s; a new one is begun.", aside.name)

    async def _salvage(self) -> None:
        """Bring over what can be read of the file that was set aside."""
        damaged, path = self._damaged, self._database.path
        if damaged is None or path is None:
            return
        try:
            saved = await in_thread(salvage, damaged, path)
        except sqlite3.DatabaseError as error:
            if reason_of(error) is not Reason.CORRUPT:
                raise  # it is the new one that cannot be written: later, then
            saved = 0
        self._damaged = None
        log.error("%d messages were saved from %s.", saved, damaged.name)

    def _tell(self, degraded: bool) -> None:
        try:
            self._on_degraded(degraded)
        except Exception:
            log.exception("on_degraded failed")


def _told(error: Exception) -> Exception:
    """Make what the caller of one operation gets: nothing of a driver's error leaves."""
    if isinstance(error, StopChatError):
        return error
    log.error("An operation of the store failed. [%s]", new_error_id(), exc_info=error)
    return StopChatError(ErrorCode.INTERNAL, type(error).__name__)
