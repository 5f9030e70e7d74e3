"""The kernel's interrupt as news, and not as an exception in the middle of anything."""

from __future__ import annotations

import queue
import signal
import sys
import threading
from types import FrameType
from typing import Any

from IPython.core.events import EventManager
from IPython.core.interactiveshell import InteractiveShell

#: What is put among the news when the person interrupts.
INTERRUPT = object()
#: The packages whose code is the way back itself, also where hooks are called on it.
_WAY_BACK = {"IPython", "ipykernel"}


class Interrupts:
    """What takes the interrupt signal within the block, and what comes too late for it.

    A `KeyboardInterrupt` could land in the middle of a display or of the stop itself, and a second
    one in the clean-up. So the signal is noted, and acted on where that is safe. Pressed again and
    again, the last may come when the block has ended and the shell shows how: there it would cost
    the cell its output and its answer, and behind that a kernel the way back from a cell that
    failed: it would answer no cell any more. It belongs to the same stop, and is dropped.

    Signals come to the main thread only; in a subshell's thread nothing is taken.

    :param news: told of each interrupt. A `SimpleQueue` may be put to from a signal's handler.
    :param shell: what runs the cell, if it does; without one nothing comes too late.
    """

    def __init__(
        self, news: queue.SimpleQueue[Any], shell: InteractiveShell | None = None
    ) -> None:
        self._news = news
        self._shell = shell
        self._before: Any = None
        self._way_back: list[FrameType] = []
        self._ends = False
        self._mine = threading.current_thread() is threading.main_thread()
        #: How often the person interrupted.
        self.count = 0

    def __enter__(self) -> Interrupts:
        if self._mine:
            self._before = before = signal.signal(signal.SIGINT, self._note)
            earlier = getattr(before, "__self__", None)
            if isinstance(earlier, Interrupts) and before == earlier._drop_late:
                # The cell has caught that interrupt, and asks again: nothing of it comes late now.
                earlier._forget()
                self._before = earlier._before
        return self

    def __exit__(self, *_: object) -> None:
        if not self._mine:
            return
        if not self.count or self._shell is None:
            signal.signal(signal.SIGINT, self._before)
            return
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not self._is_cells(frame):
            self._way_back.append(frame)
            frame = frame.f_back
        signal.signal(signal.SIGINT, self._drop_late)
        self._shell.events.register("post_execute", self._end)
        self._ends = True

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self._news.put(INTERRUPT)

    def _drop_late(self, number: int, frame: FrameType | None) -> None:
        """Drop an interrupt, unless the cell has caught ours and goes on with code of its own.

        Nor is one of a hook behind the cell dropped, which may hang: the shell catches that.
        """
        while frame is not None and frame not in self._way_back:
            if self._is_cells(frame) or _is_hook(frame):
                self._before(number, frame)
                return
            frame = frame.f_back

    def _is_cells(self, frame: FrameType) -> bool:
        return self._shell is not None and frame.f_globals is self._shell.user_global_ns

    def _end(self) -> None:
        """Take the signal of no cell any more: this one has ended, and has shown how."""
        if threading.current_thread() is not threading.main_thread():
            return  # that was another cell, of a subshell
        self._forget()
        kernel = getattr(self._shell, "kernel", None)
        if kernel is None or self._before is not signal.default_int_handler:
            signal.signal(signal.SIGINT, self._before)
        # Else the kernel takes the signal back behind its answer: until then it comes too late.

    def _forget(self) -> None:
        assert self._shell is not None
        if self._ends:
            self._shell.events.unregister("post_execute", self._end)
        self._ends = False
        self._way_back.clear()


def _is_hook(frame: FrameType) -> bool:
    """Tell whether a frame is one that the shell's events have called, and somebody else's."""
    caller = frame.f_back
    if caller is None or caller.f_code is not EventManager.trigger.__code__:
        return False
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    return package not in _WAY_BACK and frame.f_globals is not globals()
