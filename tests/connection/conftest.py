"""An engine whose model says what it is fed, and clients of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.aids.fed import Fed
from tests.connection.wire import Wire
from tests.engine.bench import MODEL, Bench
from tests.engine.stores import open_watched


@pytest.fixture
def bench(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Bench]:
    """Run an engine whose model says what it is fed."""
    run = jp_asyncio_loop.run_until_complete
    store = run(open_watched())
    made = Bench(store=store)
    made.handlers[MODEL] = Fed()
    yield made
    run(made.check())
    run(made.close())
    run(store.close())


@pytest.fixture
def wire(
    bench: Bench, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Callable[..., Wire]]:
    """Connect clients; each is let go of at the end."""
    made: list[Wire] = []

    def make(*args: Any, **options: Any) -> Wire:
        made.append(Wire(bench, *args, **options))
        return made[-1]

    yield make
    for each in made:
        each.connection.end()
        assert each.wrong is None
        # What was asked is answered to nobody.
        while tasks := each.connection._intake._tasks:
            # A copy: the set may be empty by the time the loop begins to wait.
            jp_asyncio_loop.run_until_complete(asyncio.wait([*tasks]))
