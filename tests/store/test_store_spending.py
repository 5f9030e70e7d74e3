"""What was spent is kept by chat, and by owner and day: once, whatever happens."""

import asyncio
from datetime import UTC, datetime

import pytest

from jupyter_stop_chat.ports.spending import Bill
from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.wire.objects import Cost, MessageState, Spent, Usage
from jupyter_stop_chat.wire.times import day_of
from tests.conftest import PATIENCE

DAY = "2026-03-09"
SPENT = Spent(input_tokens=100, output_tokens=10, cost=3_000_000_000)


class NoList:
    """A list of prices that is not there, or not whole."""

    def prepare(self, model_id):
        pass

    async def cost(self, model_id, usage):
        raise ImportError("genai_prices")


class Prices:
    """A list on which every token costs 1."""

    def prepare(self, model_id):
        pass

    async def cost(self, model_id, usage):
        return Cost(amount=usage.input_tokens + usage.output_tokens, estimated=usage.estimated)


def paid(owner="me", day=DAY, spent=SPENT):
    return Settlement(
        MessageState.COMPLETED,
        usage=Usage(input_tokens=spent.input_tokens, output_tokens=spent.output_tokens),
        cost=Cost(amount=spent.cost),
        bill=Bill(owner, day, spent),
    )


async def test_what_ends_is_counted_once(store, make):
    """Short and long, alone and many at once; what had ended before adds nothing."""
    chats = [make.chat(owner) for owner in ("me", "you", "me")]
    replies = []
    for chat in chats:
        asked, reply = make.turn(chat)
        await store.begin_turn([asked, reply], chat)
        replies.append(reply)
    await store.append(replies[0].id, "x" * 300_000)
    ends = [store.settle(r.id, paid(c.owner)) for r, c in zip(replies, chats, strict=True)]
    ended = await asyncio.gather(*ends)
    assert all(each.cost == Cost(amount=SPENT.cost) for each in ended)
    assert await store.settle(replies[0].id, paid()) is None
    assert (await store.get_chat(chats[0].id)).spent == SPENT
    both = Spent(input_tokens=200, output_tokens=20, cost=2 * SPENT.cost)
    assert await store.spending.on("me", DAY) == both
    assert await store.spending.on("you", DAY) == SPENT
    assert await store.spending.on("me", "2026-03-10") == Spent()
    guess = Spent(input_tokens=1, estimated=True, unpriced=True)
    await store.spending.add(chats[0].id, Bill("me", DAY, guess))
    known = (await store.get_chat(chats[0].id)).spent
    assert (known.input_tokens, known.estimated, known.unpriced) == (101, True, True)
    await store.delete_chat(chats[0].id)
    await store.spending.add(chats[0].id, Bill("me", DAY, guess))
    assert (await store.spending.on("me", DAY)).input_tokens == 202


@pytest.mark.parametrize("where", ["file", "postgresql"])
async def test_servers_that_count_at_once_lose_nothing(request, new_store, make, where):
    """Each day's row is written by several: on a database server, they wait for one another."""
    url = request.getfixturevalue("postgresql") if where == "postgresql" else None
    stores = [await new_store(f"host:{n}:b", url=url) for n in range(3)]
    for store in stores:
        await store.open()
    chats = [make.chat(owner) for owner in ("me", "you")]
    for each in chats:
        await store.create_chat(each)
    bills = [
        each.spending.add(chat.id, Bill(chat.owner, day, SPENT))
        for _ in range(20)
        for each in stores
        for chat in chats
        for day in (DAY, "2026-03-10")
    ]
    await asyncio.gather(*bills)
    # Where the machine is busy, a file may be locked for so long that a store tries again later.
    async with asyncio.timeout(PATIENCE):
        while any(each.health()["degraded"] for each in stores):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    for chat in chats:
        for day in (DAY, "2026-03-10"):
            assert (await store.spending.on(chat.owner, day)).input_tokens == 60 * 100
        assert (await store.get_chat(chat.id)).spent.input_tokens == 2 * 60 * 100


async def test_what_a_server_that_died_had_used_is_counted_at_the_next_start(new_store, make):
    """By who finds it, once, also where two start; what it costs is noted with it."""
    first = await new_store("host:1:a")
    await first.open()
    chat = make.chat()
    asked, reply = make.turn(chat, "x" * 80, model="test:x")
    await first.begin_turn([asked, reply], chat)
    await first.append(reply.id, "y" * 40)
    await first.close()
    later = [await new_store(f"host:{n}:b", prices=Prices()) for n in (2, 3)]
    today = day_of(datetime.now(UTC))
    for each in later:
        await each.open()
    spent = Spent(input_tokens=20, output_tokens=10, cost=30, estimated=True)
    for each in later:
        assert (await each.get_message(reply.id)).cost == Cost(amount=30, estimated=True)
        assert (await each.get_chat(chat.id)).spent == spent
        found = [await each.spending.on("me", day) for day in {today, day_of(datetime.now(UTC))}]
        assert spent in found


async def test_a_list_of_prices_that_breaks_keeps_no_store_from_opening(new_store, make):
    """What had been made ends, and counts; what it costs nobody knows."""
    first = await new_store("host:1:a")
    await first.open()
    chat = make.chat()
    asked, reply = make.turn(chat, "x" * 80, model="test:x")
    await first.begin_turn([asked, reply], chat)
    await first.append(reply.id, "y" * 40)
    await first.close()
    later = await new_store("host:2:b", prices=NoList())
    await later.open()
    assert not later.health()["degraded"]
    ended = await later.get_message(reply.id)
    assert (ended.state, ended.cost) == (MessageState.INTERRUPTED, None)
    assert (await later.get_chat(chat.id)).spent == Spent(
        input_tokens=20, output_tokens=10, estimated=True, unpriced=True
    )
