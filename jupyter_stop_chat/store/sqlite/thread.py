"""Run what blocks in a thread of its own, never in the pool that Jupyter Server shares."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def in_thread(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call a function in a thread that lives as long as the call."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="stop-chat-store")
    try:
        return await asyncio.get_running_loop().run_in_executor(
            pool, partial(function, *args, **kwargs)
        )
    finally:
        pool.shutdown(wait=False)
