"""Work through many things on the event loop without holding it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

#: The loop is given back at least this often, in seconds.
BUDGET = 0.005


async def in_slices(make: Callable[[_Given], _Made], given: Iterable[_Given]) -> list[_Made]:
    """Make something of each thing, and give the loop back in between."""
    made: list[_Made] = []
    began = time.perf_counter()
    for each in given:
        made.append(make(each))
        if time.perf_counter() - began > BUDGET:
            await asyncio.sleep(0)
            began = time.perf_counter()
    return made
