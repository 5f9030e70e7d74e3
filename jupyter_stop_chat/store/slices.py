"""Work through many things a few at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

#: The loop is given back at least this often, in seconds.
BUDGET = 0.005
#: So many ids are asked for at once: SQLite's builds before 3.32 take 999 variables.
_IDS = 500


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


def id_slices(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split ids into as many as a statement may ask for."""
    return (ids[first : first + _IDS] for first in range(0, len(ids), _IDS))


def pages(
    given: Iterable[_Given], most: int, room: int, weight: Callable[[_Given], int]
) -> Iterator[tuple[_Given, ...]]:
    """Split things into pages of which none has too many, or weighs too much.

    :param room: what a page may weigh; one thing has a page of its own, whatever it weighs.
    """
    page: list[_Given] = []
    size = 0
    for each in given:
        its = weight(each)
        if page and (len(page) == most or size + its > room):
            yield tuple(page)
            page, size = [], 0
        page.append(each)
        size += its
    if page:
        yield tuple(page)
