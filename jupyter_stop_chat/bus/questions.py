"""Questions between processes: who waits for an answer, and what was answered once."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from jupyter_stop_chat.ports.peers import Asked, News, Question

log = logging.getLogger(__name__)

#: For so long a question is remembered, in seconds: it may come once more by another way, where
#: it is put a while later, and counts for a minute.
REMEMBERED_SECONDS = 120.0
#: So many are remembered at most.
MOST_REMEMBERED = 5000


@dataclass(slots=True)
class Expected:
    """An answer that somebody waits for.

    :ivar lost: done when it may not come any more, by this way.
    """

    answer: asyncio.Future[str]
    lost: asyncio.Future[str]


class Expecting:
    """The answers that are waited for, by the ids of their questions."""

    def __init__(self) -> None:
        self._expected: dict[str, Expected] = {}

    @contextmanager
    def of(self, question: Question) -> Iterator[Expected]:
        """Wait for the answer to a question."""
        loop = asyncio.get_running_loop()
        expected = Expected(loop.create_future(), loop.create_future())
        self._expected[question.id] = expected
        try:
            yield expected
        finally:
            del self._expected[question.id]
            expected.answer.cancel()
            expected.lost.cancel()

    def arrived(self, question_id: str, answer: str) -> None:
        """Hand on an answer; one that nobody waits for any more is dropped."""
        expected = self._expected.get(question_id)
        if expected is not None and not expected.answer.done():
            expected.answer.set_result(answer)

    def lose(self) -> None:
        """Tell all who wait that what was sent meanwhile did not arrive."""
        for each in self._expected.values():
            each.lost.cancel()


class Once:
    """An engine that is asked by several ways, and does once what it is asked.

    :param clock: in seconds.
    """

    def __init__(self, asked: Asked, clock: Callable[[], float]) -> None:
        self._asked = asked
        self._clock = clock
        self._answers: OrderedDict[str, tuple[float, asyncio.Task[str]]] = OrderedDict()

    async def answer(self, question: Question) -> str:
        """Do what another process asks, unless it was done before, and return the answer."""
        self._forget()
        if question.id not in self._answers:
            answering = asyncio.create_task(self._asked.answer(question), name="stop-chat-answer")
            answering.add_done_callback(_look_at)
            self._answers[question.id] = self._clock(), answering
        # Whoever asked by one way may give up, while another one waits.
        return await asyncio.shield(self._answers[question.id][1])

    def hear(self, owner: str, news: News) -> None:
        """Hear what another process did to an owner's chat."""
        self._asked.hear(owner, news)

    def stop_flagged(self, message_id: str) -> None:
        """Stop what makes a message: a flag asks for it."""
        self._asked.stop_flagged(message_id)

    def may_have_missed(self) -> None:
        """Look in the store."""
        self._asked.may_have_missed()

    async def settle(self, seconds: float) -> None:
        """Wait until all is answered; what takes longer is cancelled."""
        tasks = {task for _, task in self._answers.values() if not task.done()}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
        # They are remembered all the same: another way may be closed behind this.
        await asyncio.gather(*(task for _, task in self._answers.values()), return_exceptions=True)

    def _forget(self) -> None:
        old = self._clock() - REMEMBERED_SECONDS
        while self._answers:
            first, (asked_at, task) = next(iter(self._answers.items()))
            if asked_at > old and len(self._answers) < MOST_REMEMBERED:
                return
            if not task.done():
                self._answers.move_to_end(first)
                self._answers[first] = self._clock(), task
                return
            del self._answers[first]


def _look_at(answering: asyncio.Task[str]) -> None:
    """Log what went wrong, also where nobody waits for the answer any more."""
    if not answering.cancelled() and (error := answering.exception()) is not None:
        log.error("a question of another process failed", exc_info=error)
