"""Benches with an engine on each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.engine.bench import Bench


@pytest.fixture
def bench(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Callable[..., Bench]]:
    """Make benches; each is checked at the end for what it left behind."""
    made: list[Bench] = []

    def make(*args: object, **options: object) -> Bench:
        new = Bench(*args, **options)  # type: ignore[arg-type]
        made.append(new)
        return new

    yield make
    for each in made:
        jp_asyncio_loop.run_until_complete(each.check(runaway=each.engine.runaway))
        jp_asyncio_loop.run_until_complete(each.close())
