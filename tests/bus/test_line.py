"""The line to a real Redis, where what it is made of behaves badly."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_stop_chat.bus import clients, line
from tests.aids.redis_server import RedisServer
from tests.bus.test_redis_loss import both, works


async def test_a_cancel_that_is_lost_holds_up_nothing(
    process: Any, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a line that is made anew, nor the end."""
    monkeypatch.setattr(line, "CANCEL_SECONDS", 0.05)
    lost = 0
    reads = clients.Link.next

    async def loses(self: clients.Link, seconds: float) -> Any:
        nonlocal lost
        try:
            return await reads(self, seconds)
        except asyncio.CancelledError:
            lost += 1
            return await reads(self, seconds)

    monkeypatch.setattr(clients.Link, "next", loses)
    a, b = await both(process)
    redis.say("CLIENT", "KILL", "TYPE", "normal")
    await works(a, b)
    await b.peers.close()
    assert lost >= 2
