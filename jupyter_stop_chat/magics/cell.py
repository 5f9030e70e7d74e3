"""A cell's life: events and interrupts come in, the display follows, and it ends one way."""

from __future__ import annotations

import queue
import time
from typing import Any, NoReturn

from jupyter_stop_chat.documents.endings import STOPPED, advice, interruption
from jupyter_stop_chat.wire.errors import StopChatError

from .backends.base import LAST
from .interrupts import INTERRUPT, Interrupts
from .outcome import ChatFailed, Interrupted
from .received import Received
from .turn import END, Turn
from .view import View

#: A display is made anew this often at most, in seconds, and more seldom the longer the text is,
#: because each holds all of it: a person reads no faster, and a front end draws no faster.
PAINT_S, PAINT_S_PER_UNIT = 0.08, 2e-6
#: The engine settles a stop within 2 s; after this long the cell ends without its word.
SETTLE_S = 4.0
#: No signal's handler runs while the queue is waited for on Windows, or where the signal was
#: delivered to another thread; so no wait is longer than this, in seconds.
_TICK_S = 0.05

_UNSENT = "nothing was sent"
_LATE = "the reply had ended"
_UNSURE = "the stop could not be confirmed"


class Cell:
    """What runs one turn to its end.

    :param news: what the turn and the interrupts put their news into.
    """

    def __init__(self, turn: Turn, view: View, news: queue.SimpleQueue[Any]) -> None:
        self._turn = turn
        self._view = view
        self._news = news
        self.received = Received()
        self._painted_at = self._painting = 0.0
        self._dirty = False
        self._stopping_since: float | None = None
        self._unsent = False
        self._failure: Exception | None = None

    def run(self, interrupts: Interrupts) -> Received:
        """Return the reply, once it is complete.

        :raises Interrupted: when it was stopped, here or elsewhere.
        :raises ChatFailed: when it could not be made.
        """
        try:
            self._view.paint(self.received, status="Waiting")
            self._turn.begin()
            while (item := self._next()) is not END:
                self._take(item)
        finally:
            self._turn.close()
        self._end(interrupts)
        return self.received

    def _next(self) -> Any:
        """Return the next news; paint while there are none."""
        while True:
            try:
                pause = self._until_paint() if self._dirty else _TICK_S
                return self._news.get(timeout=min(pause, _TICK_S))
            except queue.Empty:
                if self._dirty and self._until_paint() <= 0:
                    self._paint()
                since = self._stopping_since
                if since is not None and time.monotonic() - since > SETTLE_S:
                    return END

    def _take(self, item: Any) -> None:
        received = self.received
        if item is INTERRUPT:
            self._interrupt()
        elif isinstance(item, Exception):
            self._failure = item
        elif self._stopping_since is None:
            received.take(*item)
            # The start shows nothing, and the end is painted with its mark.
            self._dirty = item[0] != "start" and item[0] not in LAST
            if self._dirty and self._until_paint() <= 0:
                self._paint()
        elif item[0] in {"start", "thought", *LAST}:
            # Nothing is added after the stop; what it ended as, and where, is taken.
            received.take(*item)

    def _interrupt(self) -> None:
        """Stop, at the first interrupt; later ones join it."""
        if self._stopping_since is not None:
            return
        self._stopping_since = time.monotonic()
        # What came and was not painted has not been seen (B4).
        self.received.cut(self._view.shown)
        self._unsent = self._turn.give_up()
        if self._unsent:
            return
        self._view.paint(self.received, status="Stopping")
        shown = self._view.shown if self._view.visible else None
        try:
            self._turn.stop(self.received.message_id, shown)
        except (StopChatError, OSError, TimeoutError) as error:
            self._failure = error
        self._stopping_since = time.monotonic()

    def _until_paint(self) -> float:
        # Half of the time at most, whatever the text: an interrupt waits for the display.
        pause = max(PAINT_S + PAINT_S_PER_UNIT * self.received.length, self._painting)
        return max(0.0, self._painted_at + pause - time.monotonic())

    def _paint(self) -> None:
        self._dirty = False
        began = time.monotonic()
        waiting = "Waiting" if self.received.state == "queued" else ""
        self._view.paint(self.received, status=self.received.doing or waiting)
        self._painted_at = time.monotonic()
        self._painting = self._painted_at - began

    def _end(self, interrupts: Interrupts) -> None:
        """Show how it ended, and end the cell that way.

        What ends the cell early is said by the error that the cell ends with, once: each front end
        shows that, right below the reply, and each file keeps it.
        """
        received = self.received
        stopped_here = self._stopping_since is not None
        match received.state:
            case "completed":
                self._view.paint(received, mark=_ending(received))
                if interrupts.count:
                    lost = received.length < received.kept
                    raise Interrupted(_begun_small(f"{STOPPED}; {_LATE}") if lost else _LATE)
                return
            case "interrupted" if not stopped_here and (mark := _ending(received)):
                pass
            case "interrupted" if stopped_here or received.reason == "user":
                mark = STOPPED
            case "interrupted":
                mark = interruption(received.reason)
            case "failed":
                self._fail(received.error)
            case _ if self._unsent:
                mark = f"{STOPPED}; {_UNSENT}"
            case _ if stopped_here:
                mark = f"{STOPPED}; {_UNSURE}"
            case _:
                self._fail(_sentence(self._failure))
        received.state = "interrupted"
        self._view.paint(received)
        raise Interrupted(_begun_small(mark))

    def _fail(self, sentence: str) -> NoReturn:
        self.received.state = "failed"
        self._view.paint(self.received)
        raise ChatFailed(f"Generation failed: {sentence}")


def _begun_small(mark: str) -> str:
    return mark[0].lower() + mark[1:]


def _ending(received: Received) -> str:
    """Say that a reply did not come to its own end, and what can be done, or nothing."""
    return advice(received.finish_reason, received.text)


def _sentence(failure: Exception | None) -> str:
    if isinstance(failure, StopChatError):
        return failure.sentence
    if isinstance(failure, ChatFailed):
        return str(failure)
    if isinstance(failure, OSError):
        return (
            "The connection to Jupyter Server was lost. The reply may go on there: see the chat."
        )
    name = type(failure).__name__ if failure is not None else "nothing"
    return f"Something went wrong in the kernel ({name})."
