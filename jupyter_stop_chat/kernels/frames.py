"""What the frames on a stack are of.

It runs in the kernel, as a part of `in_kernel.py`: Python 3.8 or later, and nothing of ours.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

#: What may take an interrupt for itself; not what waits in between, and goes on later.
_OF_IPYTHON = ("IPython", "ipykernel")
_WAITS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
#: What turns a loop, also within a cell, and what runs one thing in such a turn.
_LOOPS = ("asyncio", "nest_asyncio", "nest_asyncio2")
HANDLE = asyncio.Handle._run.__code__


def is_of(frame: Any, packages: tuple[str, ...]) -> bool:
    """Tell whether a frame is of one of these packages' own code."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] in packages


def is_within(frame: Any, other: Any) -> bool:
    """Tell whether a frame is another one, or was called from there."""
    while frame is not None and frame is not other:
        frame = frame.f_back
    return frame is not None


def is_turn(frame: Any) -> bool:
    """Tell whether a frame is the loop's own, as it turns, or that of one thing in such a turn."""
    own = frame.f_code.co_name == "_run_once" and is_of(frame, _LOOPS)
    return own or frame.f_code is HANDLE


def calls_within(frame: Any, own: Any, codes: Any) -> list[Any]:
    """Return the frames of IPython that a cell has called, and those of each cell within.

    :param own: the frame that runs the cell.
    :param codes: of what runs one.
    """
    found: list[Any] = []
    called = None
    while frame is not own:
        if frame.f_code in codes and called is not None:
            found.append(called)
            called = None
        if not frame.f_code.co_flags & _WAITS and is_of(frame, _OF_IPYTHON):
            called = frame
        frame = frame.f_back
    return found if called is None else [*found, called]
