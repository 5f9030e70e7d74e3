"""Close a stream and every stream inside it, in order, and know when that is done.

`aclose()` on an asynchronous generator ends that one only. What it was reading from is dropped,
and the event loop closes it in a task of its own some time later, one layer a turn. Nobody could
then say when the provider's connection was closed. So the inner ones are found and closed here.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import AsyncGeneratorType
from typing import Any, TypeVar

T = TypeVar("T")


@asynccontextmanager
async def closed_at_the_end(stream: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Read a stream; it and all inside it are closed on the way out, however that is.

    :param stream: an asynchronous generator, or what else may have an `aclose()`.
    :raises BaseException: what a clean-up raised, after all the others were run.
    """
    try:
        yield stream
    finally:
        trouble: BaseException | None = None
        # The inner ones are held from before the outer one is closed, so that none is dropped.
        for each in [stream, *inside(stream)]:
            aclose = getattr(each, "aclose", None)
            if aclose is None:
                continue
            try:
                await aclose()
            except BaseException as error:  # noqa: BLE001 - the rest must be closed as well
                trouble = trouble or error
        if trouble is not None:
            raise trouble


def inside(stream: object) -> list[AsyncGeneratorType[Any, Any]]:
    """Find the asynchronous generators that a suspended one reads from, outermost first.

    A suspended generator refers to what it iterates over. Where that is an object of a client
    library, the generator is one of its attributes.
    """
    found: list[AsyncGeneratorType[Any, Any]] = []
    seen = {id(stream)}
    queue: list[object] = [stream]
    while queue:
        current = queue.pop(0)
        if isinstance(current, AsyncGeneratorType):
            near = gc.get_referents(current)
        else:
            near = list(getattr(current, "__dict__", {}).values())
        for each in near:
            if id(each) in seen:
                continue
            seen.add(id(each))
            if isinstance(each, AsyncGeneratorType):
                found.append(each)
                queue.append(each)
            elif hasattr(type(each), "__anext__"):
                queue.append(each)
    return found
