"""Two engines on one database, each of which the other reaches through it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.servers.two_processes import twins

__all__ = ["reached", "twins"]


@pytest.fixture
def reached(twins: Any, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    """Return two engines, each of which others reach through the database."""
    for bench, store in zip((twins.a, twins.b), twins.stores, strict=True):
        bench.reach(store.peers)
        jp_asyncio_loop.run_until_complete(bench.engine.open())
    yield twins
    for store in twins.stores:
        jp_asyncio_loop.run_until_complete(store.peers.close())
