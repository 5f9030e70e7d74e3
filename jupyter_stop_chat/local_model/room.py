"""Who may use the model's context, which all requests share.

llama.cpp ends every request when the shared context overflows, so nobody is let in who might
make it overflow: a request holds its prompt and its longest answer, and the next one waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Room:
    """What lets requests in, in their order, as far as there are places and tokens.

    :param places: how many requests may run at once.
    :param tokens: how many tokens all of them may hold together.
    """

    def __init__(self, places: int, tokens: int) -> None:
        self._places = places
        self._tokens = tokens
        self._held: dict[int, int] = {}
        self._queue: list[int] = []
        self._changed = threading.Condition()

    def enter(self, who: int, tokens: int, gave_up: Callable[[], bool]) -> bool:
        """Wait for a place and for tokens.

        :param who: the request.
        :param tokens: how many it is known to need; 0 when that is not known yet.
        :param gave_up: tells whether it wants to wait no longer; `wake` has it asked.
        :returns: False when it gave up.
        """
        with self._changed:
            self._queue.append(who)
            self._changed.wait_for(lambda: gave_up() or self._may_enter(who, tokens))
            self._queue.remove(who)
            entered = not gave_up()
            if entered:
                self._held[who] = tokens
            self._changed.notify_all()
            return entered

    def hold(self, who: int, tokens: int) -> bool:
        """Hold so many tokens, if there are as many; tell whether there are."""
        with self._changed:
            if self._used() - self._held[who] + tokens > self._tokens:
                return False
            self._held[who] = tokens
            return True

    def leave(self, who: int) -> None:
        """Give place and tokens back."""
        with self._changed:
            self._held.pop(who, None)
            self._changed.notify_all()

    def wake(self) -> None:
        """Have everyone who waits look again."""
        with self._changed:
            self._changed.notify_all()

    def _may_enter(self, who: int, tokens: int) -> bool:
        return (
            self._queue[0] == who
            and len(self._held) < self._places
            and self._used() + tokens <= self._tokens
        )

    def _used(self) -> int:
        return sum(self._held.values())
