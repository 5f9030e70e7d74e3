"""Presses of Stop that are sent again: each counts once, though what it aims at has changed."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

from jupyter_stop_chat.wire.objects import StopResult

#: What a stop comes to.
Answer: TypeAlias = "asyncio.Task[tuple[StopResult, ...]]"

#: So long a press may be sent again, in seconds: the page gives up after 13.
REMEMBERED = 60.0
#: So many are kept of an owner, the newest: as often as somebody likes may be stopped.
MOST = 1000


class Presses:
    """What keeps the answers to presses for a while.

    A stop of a chat, or of all, aims at whatever is made as it comes. Sent again, because its
    answer took long, it would stop what its owner has asked for since.
    """

    def __init__(self) -> None:
        self._answers: dict[str, dict[str, tuple[Answer, asyncio.TimerHandle]]] = {}

    def answer(self, owner: str, press: str) -> Answer | None:
        """Return what a press comes to that came before, or None."""
        known = self._answers.get(owner, {}).get(press)
        return known[0] if known is not None else None

    def keep(self, owner: str, press: str, answer: Answer) -> None:
        """Keep what a press comes to."""
        self._forget(owner, press)
        mine = self._answers.setdefault(owner, {})
        if len(mine) == MOST:
            _, oldest = mine.pop(next(iter(mine)))
            oldest.cancel()
        timer = asyncio.get_running_loop().call_later(REMEMBERED, self._forget, owner, press)
        mine[press] = (answer, timer)

    def close(self) -> None:
        """Forget them all."""
        for owner, mine in list(self._answers.items()):
            for press in list(mine):
                self._forget(owner, press)

    def _forget(self, owner: str, press: str) -> None:
        mine = self._answers.get(owner, {})
        known = mine.pop(press, None)
        if known is not None:
            known[1].cancel()
            if not mine:
                del self._answers[owner]


def has_failed(answer: Answer) -> bool:
    """Tell whether nobody knew what a press came to: a store may not have answered."""
    return answer.done() and (answer.cancelled() or answer.exception() is not None)
