"""Look into a LangChain runnable: which models it has, and whether it lets itself be stopped."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding, RunnableWithFallbacks

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

#: A search through closures and attributes has an end.
_MOST = 5000


def is_graph(runnable: object) -> bool:
    """Tell a compiled graph or an agent of LangGraph from a plain runnable."""
    return hasattr(runnable, "stream_mode") and isinstance(
        getattr(runnable, "nodes", None), Mapping
    )


def bare_model(runnable: object) -> BaseChatModel | None:
    """Return the chat model that a runnable is, or that it is bound arguments for; else None."""
    while isinstance(runnable, RunnableBinding):
        runnable = runnable.bound
    return runnable if isinstance(runnable, BaseChatModel) else None


def has_async_stream(model: BaseChatModel) -> bool:
    """Tell whether a chat model streams without a thread, so that closing it closes all."""
    return type(model)._astream is not BaseChatModel._astream


def inner_parts(runnable: object) -> Iterator[object]:
    """Yield the runnables inside one (and itself), through sequences, graphs and closures."""
    seen: set[int] = set()
    # What was looked at is kept, so that no id is used twice.
    kept: list[object] = []
    queue: list[object] = [runnable]
    while queue and len(kept) < _MOST:
        current = queue.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        kept.append(current)
        if isinstance(current, Runnable):
            yield current
        queue.extend(_near(current))


def _near(thing: object) -> Iterator[object]:
    if isinstance(thing, BaseChatModel):
        return
    if isinstance(thing, Mapping):
        yield from thing.values()
    elif isinstance(thing, list | tuple | set):
        yield from thing
    elif isinstance(thing, FunctionType):
        for cell in thing.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # not bound yet
                continue
    elif isinstance(thing, MethodType):
        yield thing.__func__
        yield thing.__self__
    elif isinstance(thing, Runnable) or hasattr(thing, "bound"):
        yield from vars(thing).values() if hasattr(thing, "__dict__") else ()


def check_stoppable(runnable: object) -> None:
    """Refuse what would take a stop for a failure and ask the next model instead.

    :raises StopChatError: `unstoppable_model`.
    """
    for part in inner_parts(runnable):
        if isinstance(part, RunnableWithFallbacks) and any(
            issubclass(asyncio.CancelledError, kind) for kind in part.exceptions_to_handle
        ):
            raise StopChatError(
                ErrorCode.UNSTOPPABLE_MODEL, "exceptions_to_handle takes CancelledError in"
            )


def without_lossy_timeouts(runnable: Any) -> Any:
    """Return a runnable whose models' streams cannot lose a cancel.

    `asyncio.wait_for` of Python 3.11 swallows a cancel that arrives together with a chunk, and
    `stream_chunk_timeout` is made with it; the next chunk may never come. A chat model is copied
    without that limit. One inside something else is changed in place, as it cannot be replaced.
    """
    if sys.version_info >= (3, 12):
        return runnable
    if _has_timeout(runnable):
        return runnable.model_copy(update={_TIMEOUT: None})
    for part in inner_parts(runnable):
        if _has_timeout(part):
            setattr(part, _TIMEOUT, None)
    return runnable


_TIMEOUT = "stream_chunk_timeout"


def _has_timeout(part: Any) -> bool:
    return isinstance(part, BaseChatModel) and bool(getattr(part, _TIMEOUT, None))
