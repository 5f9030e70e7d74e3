"""A word and a stop with Redis and PostgreSQL, beside the one file of a server alone."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

from tests.aids.postgresql_server import PostgresqlServer, find_binaries
from tests.aids.redis_server import RedisServer

from .asked import Asked
from .contenders import Contender, Ours, processor_a_word
from .load import under_load
from .provider import Provider
from .rows import Row

MODEL = "paced:50"
#: How many stops are measured with each.
STOPS = 40
#: How many replies are made meanwhile.
BESIDE = 8


async def measure(asked: Asked) -> AsyncIterator[Row]:
    """Measure, where both servers can be had."""
    binaries = find_binaries()
    assert binaries is not None, "PostgreSQL is not installed"
    postgresql = PostgresqlServer(binaries)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.callback(postgresql.close)
        postgresql.create()
        redis = RedisServer(Path(folder))
        redis.start()
        stack.callback(redis.kill)
        provider = await stack.enter_async_context(Provider())
        pairs = {
            "Redis": {"bus_url": redis.url},
            "PostgreSQL": {"db_url": postgresql.url(postgresql.new_database())},
            "Redis and PostgreSQL": {
                "bus_url": redis.url,
                "db_url": postgresql.url(postgresql.new_database()),
            },
        }
        for name, settings in pairs.items():
            async with Ours(provider, **settings) as ours, Ours(provider) as embedded:
                for streams in asked.streams:
                    yield await _words(name, streams, (ours, embedded), asked)
                yield await _stops(name, (ours, embedded))


async def _words(
    name: str, streams: int, contenders: tuple[Contender, Contender], asked: Asked
) -> Row:
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(max(3, asked.rounds // 2)):
        for each, figures in zip(contenders, took, strict=True):
            figures.append(await processor_a_word(each, MODEL, streams, asked.seconds))
    ours, baseline = map(statistics.median, took)
    return Row(f"{name}: processor a word, {streams} × 50/s", "µs", ours, "embedded", baseline)


async def _stops(name: str, contenders: tuple[Ours, Ours]) -> Row:
    ours, baseline = [
        statistics.median((await under_load(each, MODEL, BESIDE, STOPS)).stops)
        for each in contenders
    ]
    return Row(f"{name}: stop, settled, beside {BESIDE}", "ms", ours, "embedded", baseline)
