"""What tests of what reaches other processes have at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_stop_chat.bus.redis import RedisPeers
from tests.aids.redis_server import RedisServer
from tests.bus.others import FakeBeside, FakeEngine, Process


@pytest.fixture
def process(
    redis: RedisServer, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Callable[..., Any]]:
    """Make processes that reach each other by the Redis; each ends with the test."""
    made: list[Process] = []

    async def make(name: str, *, url: str | None = None, up: bool = True, **more: Any) -> Process:
        beside = more.pop("beside", None) or FakeBeside()
        peers = RedisPeers(url or redis.url, name, beside, **more)
        one = Process(peers, FakeEngine(name), beside)
        made.append(one)
        await peers.open(one.engine)
        if up:
            await one.up()
        return one

    yield make

    async def end() -> None:
        for one in made:
            await one.peers.close()
            assert one.beside.closed
        await asyncio.sleep(0)
        left = [each for each in asyncio.all_tasks() if each.get_name().startswith("stop-chat")]
        assert left == []

    jp_asyncio_loop.run_until_complete(end())
