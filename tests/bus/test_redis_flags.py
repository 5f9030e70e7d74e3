"""Flags that ask for a stop, in a real Redis."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.aids.redis_server import RedisServer
from tests.conftest import PATIENCE


async def test_a_flag_is_seen_where_the_message_is_made(process: Any, redis: RedisServer) -> None:
    """S3."""
    a, b = await process("a"), await process("b")
    await a.peers.flag_stop("m")
    assert a.beside.flags == {"m"}, "in each way"
    assert redis.say("GET", "chat_stop:m") == b"$1\r\n1\r\n"
    assert 58 <= int(redis.say("TTL", "chat_stop:m")[1:]) <= 60
    await b.peers.look(["n"])
    assert b.engine.flagged == []
    await b.peers.look(["k", "m", "n"])
    assert b.engine.flagged == ["m"]


async def test_an_operator_sets_one_by_hand(process: Any, redis: RedisServer) -> None:
    """S3."""
    b = await process("b")
    redis.say("SET", "chat_stop:m", "1")
    redis.say("SET", "chat_stop:n", "0")
    redis.say("LPUSH", "chat_stop:k", "1")
    await b.peers.look(["m", "n", "k"])
    assert b.engine.flagged == ["m"]


async def test_what_has_ended_is_flagged_no_more(process: Any, redis: RedisServer) -> None:
    """S3."""
    a = await process("a")
    for each in ("m", "n", "k"):
        await a.peers.flag_stop(each)
    a.peers.unflag_stop("m")
    a.peers.unflag_stop("n")
    assert a.beside.flags == {"k"}
    async with asyncio.timeout(PATIENCE):
        while redis.say("EXISTS", "chat_stop:m", "chat_stop:n") != b":0\r\n":  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    assert redis.say("EXISTS", "chat_stop:k") == b":1\r\n"


async def test_the_slower_way_is_looked_at_less_often(process: Any, redis: RedisServer) -> None:
    a = await process("a")
    assert a.peers.interval == 0.25
    for _ in range(8):
        await a.peers.look(["m"])
    assert a.beside.looks == 2
    redis.kill()
    await a.told(False)
    assert a.peers.interval == a.beside.interval
    for _ in range(8):
        await a.peers.look(["m"])
    assert a.beside.looks == 10


async def test_where_nothing_is_made_nothing_is_asked(process: Any, redis: RedisServer) -> None:
    a = await process("a")
    redis.say("CONFIG", "RESETSTAT")
    await a.peers.look([])
    assert b"cmdstat_mget" not in redis.say("INFO", "commandstats")
