"""An engine whose model says what it is fed, and clients of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.connection.wire import Wire
from tests.engine.bench import MODEL, Bench
from tests.fed import Fed


@pytest.fixture
def bench(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Bench]:
    """Run an engine whose model says what it is fed."""
    made = Bench()
    made.handlers[MODEL] = Fed()
    yield made
    jp_asyncio_loop.run_until_complete(made.check())
    jp_asyncio_loop.run_until_complete(made.close())


@pytest.fixture
def wire(bench: Bench) -> Iterator[Callable[..., Wire]]:
    """Connect clients; each is let go of at the end."""
    made: list[Wire] = []

    def make(*args: Any, **options: Any) -> Wire:
        made.append(Wire(bench, *args, **options))
        return made[-1]

    yield make
    for each in made:
        each.connection.end()
        assert each.wrong is None
