"""Redis, or PostgreSQL, goes and comes back under load: no word is lost, or untrue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.conftest import Client
from tests.faults.servers import connect, leave, told
from tests.several.conftest import Several

#: How many replies run at once.
REPLIES = 4


class Load:
    """What keeps replies running on one server, and looks at them through another.

    :ivar told: what became of each stop that was asked for through the other.
    """

    def __init__(self, several: Several) -> None:
        self.several = several
        self.running: dict[str, str] = {}
        self.ended: list[tuple[str, str, str]] = []
        self.told: list[str] = []

    async def start(self) -> None:
        """Connect, and have replies made."""
        self.a, self.b = [await connect(lab) for lab in self.several.labs]
        for _ in range(REPLIES):
            await self.begin()

    async def begin(self) -> None:
        """Have one more reply made, and look at it through the other server."""
        accepted = await self.a.ask()
        message_id, chat_id = accepted["message"]["id"], accepted["chat_id"]
        self.running[message_id] = chat_id
        await self.b.send({"type": "open", "chat_id": chat_id})
        await self.a.until("delta", lambda frame: frame["message_id"] == message_id)

    async def stop_one(self) -> None:
        """Stop the oldest through the other server: what that says has to be true."""
        message_id, chat_id = next(iter(self.running.items()))
        answer = await self._answer_of_b(message_id)
        while answer["type"] == "error":  # it could not look that up just now: asked again
            answer = await self._answer_of_b(message_id)
        outcome = answer["results"][0]["outcome"]
        self.told.append(outcome)
        (kept,) = [each for each in await self._messages(chat_id) if each["id"] == message_id]
        if outcome != "made_elsewhere":
            assert kept["state"] == "interrupted", "a stop was told that had not come to pass"
        ended = await self.a.end_of(message_id)
        assert ended["state"] == "interrupted"
        del self.running[message_id]
        shown = self.a.text(message_id)
        assert shown
        self.ended.append((message_id, chat_id, shown))

    async def _answer_of_b(self, message_id: str) -> dict[str, Any]:
        await self.b.send({"type": "stop", "message_id": message_id})
        while True:
            frame = await self.b.read()
            if frame["type"] in {"stop_result", "error"} and frame.get("message_id") == message_id:
                return frame

    async def _messages(self, chat_id: str) -> list[dict[str, Any]]:
        chat = await told(self.several.labs[0], "GET", f"chats/{chat_id}")
        messages: list[dict[str, Any]] = chat["messages"]
        return messages

    async def finish(self) -> None:
        """Stop what is left; every text is what the model said, as it was shown."""
        while self.running:
            await self.stop_one()
        for message_id, chat_id, shown in self.ended:
            for lab in self.several.labs:
                chat = await told(lab, "GET", f"chats/{chat_id}")
                (kept,) = [each for each in chat["messages"] if each["id"] == message_id]
                assert kept["text"] == shown
            said = "".join(f"t{n} " for n in range(shown.count(" ") + 1))
            assert said.startswith(shown)
        await leave(self.a, self.b)


async def _outages(load: Load, times: int, out: Callable[[], Awaitable[None]]) -> None:
    await load.start()
    for _ in range(times):
        await out()
        await load.stop_one()
        await load.begin()
    await load.finish()


async def _restart_redis(several: Several) -> None:
    assert several.redis is not None
    await asyncio.to_thread(several.redis.kill)
    await asyncio.to_thread(several.redis.start)


@pytest.fixture(scope="module")
def several(pair: Callable[[str], Several]) -> Several:
    """Return two servers that outlive each outage: all have their turn with the same ones."""
    return pair("redis and postgresql")


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.stress)])
async def test_redis_is_restarted_under_load(several: Several, times: int) -> None:
    """S3: no stop is told that had not come to pass, and no character is lost."""
    load = Load(several)
    await _outages(load, times, lambda: _restart_redis(several))
    assert "interrupted" in load.told


async def test_redis_is_away(several: Several) -> None:
    """S3: chats go on, stops take the other way, and pages are told once, and once it is back."""
    assert several.redis is not None
    load = Load(several)
    await load.start()
    await asyncio.to_thread(several.redis.kill)
    await _error(load.b, "others_late")
    health = await told(several.labs[1], "GET", "health")
    assert health["bus"]["reachable"] is False
    await load.stop_one()
    assert load.told == ["interrupted"]
    await asyncio.to_thread(several.redis.start)
    await _error(load.b, "others_again")
    await load.begin()
    await load.finish()


async def _error(page: Client, code: str) -> None:
    await page.until("error", lambda frame: frame["code"] == code)


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.stress)])
async def test_postgresql_is_restarted_under_load(several: Several, times: int) -> None:
    """S3, B3: as with a full disk: replies go on, and nothing of them is lost."""
    postgresql = several.postgresql
    assert postgresql is not None
    load = Load(several)
    await load.start()
    for _ in range(times):
        await asyncio.to_thread(postgresql.stop)
        await _error(load.a, "not_saved")
        await asyncio.to_thread(postgresql.start)
        await _error(load.a, "saved_again")
    await load.finish()
