"""What reaches other processes through the database that they share, where nothing else does.

A question is a row; whom it asks looks for it while it makes a reply, and writes its answer into
it. Nothing is looked for while nothing is made and nothing is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, and_, delete, exists, insert, not_, or_, select, update

from jupyter_stop_chat.ports.peers import Asked, News, NotReachedError, Question
from jupyter_stop_chat.store.database import Database
from jupyter_stop_chat.store.degraded.reason import reason_of
from jupyter_stop_chat.store.degraded.saving import Saver
from jupyter_stop_chat.store.schema import IS_LIVE, NOW_SECONDS, messages, questions

log = logging.getLogger(__name__)

_T = TypeVar("_T")

#: How often what makes a reply looks for questions, and what asked for its answer, in seconds.
LOOK_SECONDS = 0.1
ANSWER_SECONDS = 0.05
#: A question, or a flag, that is older counts no more, by the database's clock; in seconds.
OLD_SECONDS = 60

#: What is asked of a process, and what is flagged, of whichever.
_ASKED = select(questions.c.id, questions.c.process, questions.c.owner, questions.c.frame).where(
    not_(questions.c.taken), questions.c.asked_at > NOW_SECONDS - OLD_SECONDS
)


class DatabasePeers:
    """What reaches the other processes that work on the same database, through it.

    :param saver: in whose order it is written; while that is degraded, nobody is reached.
    :param process: the id of this process.
    :param sleep: how to wait, in seconds.
    """

    def __init__(
        self,
        database: Database,
        saver: Saver,
        process: str,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self.on_reach: Callable[[bool], None] = lambda reached: None
        self.interval = LOOK_SECONDS
        self.tells = False
        self._database = database
        self._saver = saver
        self._sleep = sleep
        self._asked: Asked | None = None
        self._closed = False
        self._for_us = _ASKED.where(questions.c.process.in_([process, ""]))
        self._flagged: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, asked: Asked) -> None:
        """Begin to hear others."""
        self._asked = asked
        self._closed = False

    async def close(self) -> None:
        """Hear no more; what is being answered is answered."""
        self._asked = None
        self._closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def ask(self, process: str, question: Question, patience: float) -> str:
        """Ask another process, and return its answer.

        :raises NotReachedError: there was none.
        """
        row = {
            "id": question.id,
            "process": process,
            "owner": question.owner,
            "frame": question.frame,
            "taken": False,
        }
        try:
            await self._write(lambda connection: _put(connection, row))
            async with asyncio.timeout(patience):
                return await self._answer_of(question.id, process)
        except TimeoutError:
            raise NotReachedError from None
        finally:
            # Also of a caller that is cancelled: what nobody waits for is not to be done any more.
            self._run(self._forget(questions.c.id == question.id))

    async def _answer_of(self, question_id: str, process: str) -> str:
        """Wait for an answer.

        :raises NotReachedError: the question is gone, or whom it asks makes nothing any more and
            so looks no more.
        """
        makes = exists().where(IS_LIVE, messages.c.process == process)
        wanted = select(questions.c.answer, questions.c.taken, makes.label("makes"))
        while True:
            await self._sleep(ANSWER_SECONDS)
            rows = await self._read(wanted.where(questions.c.id == question_id))
            if not rows:
                raise NotReachedError  # the database was replaced
            answer: str | None = rows[0]["answer"]
            if answer is not None:
                return answer
            if not (rows[0]["taken"] or rows[0]["makes"]):
                # One that has just been taken is answered.
                withdrawn = and_(questions.c.id == question_id, not_(questions.c.taken))
                if await self._forget(withdrawn):
                    raise NotReachedError

    async def look(self, making: Sequence[str]) -> None:
        """Look once for what is asked of this process."""
        if self._asked is None or self._database.in_memory or self._saver.degraded:
            return
        try:
            rows = await self._read(self._for_us)
        except NotReachedError:
            return
        for row in rows:
            if not row["process"]:
                if row["id"] in making:
                    self._flagged.add(row["id"])
                    self._asked.stop_flagged(row["id"])
            else:
                self._run(self._take(row["id"], Question(row["owner"], row["frame"], row["id"])))

    async def _take(self, question_id: str, question: Question) -> None:
        """Answer a question, once: who claims it does."""
        claim = (
            update(questions)
            .where(questions.c.id == question_id, not_(questions.c.taken))
            .values(taken=True)
        )
        claimed = await self._write(lambda connection: connection.execute(claim).rowcount)
        if not claimed or self._asked is None:
            return
        answer = await self._asked.answer(question)
        answered = update(questions).where(questions.c.id == question_id).values(answer=answer)
        await self._write(lambda connection: connection.execute(answered))

    async def flag_stop(self, message_id: str) -> None:
        """Leave a flag that asks for a message's stop."""
        row = {"id": message_id, "process": "", "owner": None, "frame": "", "taken": False}

        def flag(connection: Connection) -> None:
            connection.execute(delete(questions).where(questions.c.id == message_id))
            _put(connection, row)

        self._flagged.add(message_id)
        with contextlib.suppress(NotReachedError):
            await self._write(flag)

    def unflag_stop(self, message_id: str) -> None:
        """Take such a flag away, soon; one that was not seen goes with its time."""
        if message_id in self._flagged:
            self._flagged.discard(message_id)
            self._run(self._forget(questions.c.id == message_id))

    def tell(self, owner: str, news: News) -> None:
        """Tell nobody: others look."""

    def attend(self, owner: str, attended: bool) -> None:
        """Hear nothing of an owner's chats: that is looked for."""

    def health(self) -> dict[str, Any] | None:
        """Return nothing: it was not set up."""
        return None

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        if self._closed:  # nobody would wait for it; what it leaves goes with its time
            work.close()
            return
        task = asyncio.create_task(_quietly(work), name="stop-chat-questions")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forget(self, which: Any) -> int:
        forget = delete(questions).where(which)
        return await self._write(lambda connection: connection.execute(forget).rowcount)

    async def _write(self, work: Callable[[Connection], _T]) -> _T:
        """Write in one transaction, in order with all else.

        :raises NotReachedError: it cannot be written: nothing of it is kept for later.
        """
        if self._database.in_memory or not self._saver.writer.running:
            raise NotReachedError

        async def job() -> _T:
            if self._saver.degraded:
                raise NotReachedError
            return await self._database.transact(work)

        try:
            written: _T = await self._saver.writer.run(job)
        except Exception as error:  # noqa: BLE001 - sorted by what it means
            raise _not_reached(error) from None
        return written

    async def _read(self, statement: Any) -> list[dict[str, Any]]:
        """Read rows.

        :raises NotReachedError: they cannot be read.
        """
        try:
            return await self._database.read(statement)
        except Exception as error:  # noqa: BLE001 - as above
            raise _not_reached(error) from None


def _put(connection: Connection, row: dict[str, Any]) -> None:
    """Write a question, and sweep out what is old and what is flagged of what has ended."""
    live = select(messages.c.id).where(IS_LIVE)
    ended = and_(questions.c.process == "", questions.c.id.not_in(live))
    old = questions.c.asked_at < NOW_SECONDS - 2 * OLD_SECONDS
    connection.execute(delete(questions).where(or_(old, ended)))
    connection.execute(insert(questions).values(**row, asked_at=NOW_SECONDS))


def _not_reached(error: Exception) -> Exception:
    """Return what is raised for an error of the database; any other is a fault of ours."""
    known = isinstance(error, NotReachedError) or reason_of(error) is not None
    return NotReachedError() if known else error


async def _quietly(work: Any) -> None:
    try:
        await work
    except NotReachedError:
        pass  # who asked waits no longer than it said
    except Exception:
        log.exception("a question of another process failed")
