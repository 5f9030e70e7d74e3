"""The bound of a test that waits on an event loop: its own task is cancelled where it waits.

The alarm of pytest-timeout is raised in whatever task runs as it rings, which may swallow it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

#: So much of the alarm's time a test may wait.
SHARE = 0.8


def seconds(item: pytest.Item) -> float:
    """Return how long a test may wait: less than until its alarm rings."""
    marker = item.get_closest_marker("timeout")
    alarm = marker.args[0] if marker is not None and marker.args else item.config.getini("timeout")
    return SHARE * float(alarm or 300)


def bounded(test: Callable[..., Awaitable[None]], longest: float) -> Callable[..., Any]:
    """Return that test with a bound, and with what else waits then in what is said of it."""

    @functools.wraps(test)
    async def within(*args: Any, **kwargs: Any) -> None:
        try:
            async with asyncio.timeout(longest) as bound:
                await test(*args, **kwargs)
        except TimeoutError as error:
            if bound.expired():
                error.add_note(f"the test still waited after {longest} s; beside it:{_others()}")
            raise

    return within


def _others() -> str:
    waiting = asyncio.all_tasks() - {asyncio.current_task()}
    return "".join(f"\n{each.get_name()}: {each.get_coro()}" for each in waiting)
