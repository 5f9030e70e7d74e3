"""An interrupt that was raised in a cell, of which is seen how far it has come.

It runs in the kernel, as a part of `in_kernel.py`: Python 3.8 or later, and nothing of ours.
"""

from __future__ import annotations

import dis
import sys
import time
from collections.abc import Callable
from typing import Any

from .frames import is_of, is_within

#: So long, in seconds, IPython may deal with an interrupt that it takes for itself: it ends a
#: command of the system by one signal after another, and shows what a cell within has come to. As
#: long is waited for what frees an object, and what shows an error: it would be left half done.
AGAIN_S = 2.0


class Raised:
    """An interrupt that was raised in it.

    Where the cell catches it, or a library, that is their way to end, and they are left alone.
    Where IPython takes it for itself, it is raised again as that call comes back: in the line of
    the cell that made it, so that what this has to end (a `finally`, a `with`) is not broken off.

    :param around: the frames of IPython that run the cell: in one of them, the cell has ended.
    :param busy: the frame of what it may be lost in, if it was raised there.
    :param calls: the frames of IPython that the cell has called, and was in.
    :param again: raises it again.
    """

    def __init__(
        self,
        error: BaseException,
        around: list[Any],
        busy: Any,
        calls: list[Any],
        again: Callable[[Any], None],
    ) -> None:
        self.error, self.around, self.busy = error, around, busy
        self.calls, self.again = calls, again
        self.lost = self.replaced = False
        self.until = time.monotonic() + AGAIN_S
        self.hook, self.own = sys.unraisablehook, self.on_lost
        sys.unraisablehook = self.own
        self.traced, self.on_traced = self.on_call, self.on_event
        self.watch()

    def watch(self) -> None:
        """Have Python tell when a call comes back, unless somebody else is told of that."""
        if self.calls and sys.gettrace() is None:
            for each in self.calls:
                each.f_trace, each.f_trace_lines = self.on_traced, False
            sys.settrace(self.traced)

    def watch_no_more(self) -> None:
        """Leave nothing behind."""
        if sys.unraisablehook is self.own:
            sys.unraisablehook = self.hook
        self.unwatch(self.calls)

    def unwatch(self, calls: list[Any]) -> None:
        """Be told of no more of these calls; where none is left, of nothing."""
        for each in calls:
            if each.f_trace is self.on_traced:
                each.f_trace, each.f_trace_lines = None, True
        self.calls = [each for each in self.calls if each not in calls]
        if not self.calls and sys.gettrace() is self.traced:
            sys.settrace(None)

    def on_call(self, frame: Any, event: str, value: Any) -> None:
        """Want to know no more of what is called now."""

    def on_event(self, frame: Any, event: str, value: Any) -> Any:
        """Raise it again where a call comes back that has taken it for itself."""
        if event != "return":
            return self.on_traced
        reached = self.reached()
        self.unwatch([frame])
        if frame.f_code.co_code[frame.f_lasti] not in _RETURNS:
            self.replaced = reached is not frame  # it ends with another exception
        elif reached is not None and is_of(reached, ("IPython",)) and not self.ends():
            self.again(frame.f_back)
        return None

    def on_lost(self, lost: Any) -> None:
        """Note that it was raised where Python drops it, as where an object is freed."""
        if lost.exc_value is self.error:
            self.lost = True
        else:
            self.hook(lost)

    def ends(self) -> bool:
        """Tell whether it has left the cell, and so ended it."""
        return any(each is self.reached() for each in self.around)

    def reached(self) -> Any:
        """Return the outermost frame that it has come to."""
        return self.error.__traceback__ and self.error.__traceback__.tb_frame

    def came_to_nothing(self, frame: Any) -> bool:
        """Tell whether Python dropped it, or IPython took it for itself and goes on with the cell.

        :param frame: where the cell is now.
        """
        reached = self.reached()
        if self.lost or self.replaced or reached is None or self.ends():
            return self.lost
        if self.busy is not None and is_within(reached, self.busy):
            return not is_within(frame, self.busy)
        if not is_of(reached, ("IPython",)):
            return False
        return not is_within(frame, reached) or time.monotonic() > self.until


_RETURNS = {dis.opmap[each] for each in ("RETURN_VALUE", "RETURN_CONST") if each in dis.opmap}
