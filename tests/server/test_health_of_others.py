"""What pages and `health` say while other servers can only be reached late."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.aids.redis_server import RedisServer


@pytest.fixture
def jp_server_config(redis: RedisServer) -> dict[str, Any]:
    """Load the extension with a Redis."""
    return {
        "ServerApp": {"jpserver_extensions": {"jupyter_stop_chat": True}},
        "StopChatApp": {"bus_url": redis.url},
    }


async def test_redis_goes_away_and_comes_back(
    redis: RedisServer, connect: Any, jp_fetch: Any
) -> None:
    async def health() -> dict[str, Any]:
        said: dict[str, Any] = json.loads((await jp_fetch("api", "stop-chat", "health")).body)
        return said

    page = await connect()
    redis.kill()
    assert (await page.until("error"))["code"] == "others_late"
    late = await connect()
    assert (await late.until("error"))["code"] == "others_late"
    said = await health()
    assert (said["status"], said["bus"]["kind"]) == ("degraded", "redis")
    assert said["bus"]["reachable"] is False
    assert said["bus"]["away_since"].endswith("Z")
    assert str(redis.port) not in json.dumps(said)
    redis.start()
    for each in (page, late):
        assert (await each.until("error"))["code"] == "others_again"
    said = await health()
    assert (said["status"], said["bus"]["reachable"]) == ("ok", True)
    assert "away_since" not in said["bus"]
