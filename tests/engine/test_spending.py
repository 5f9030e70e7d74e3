"""What replies cost is counted as they end, and a day's budget holds prompts back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from unittest.mock import AsyncMock

import pytest

from jupyter_stop_chat.engine.spending import Spending
from jupyter_stop_chat.ports.handler import Text, TokensUsed
from jupyter_stop_chat.ports.spending import Budget
from jupyter_stop_chat.store import open_store
from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.client_frames import Resume
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Cost, MessageState, Spent
from tests.engine.bench import MODEL, OWNER, turns_until


class Prices:
    """A list on which a token read costs 1 and one made costs 2, if the model is known.

    :ivar known: it was looked up before.
    """

    known = True

    def __init__(self):
        self.asked = []

    def prepare(self, model_id):
        pass

    async def cost(self, model_id, usage):
        return self.cost_at_once(model_id, usage)

    def cost_at_once(self, model_id, usage):
        if not self.known:
            raise LookupError(model_id)
        self.asked.append(model_id)
        if model_id != MODEL:
            return None
        amount = (usage.input_tokens or 0) + 2 * (usage.output_tokens or 0)
        return Cost(amount=amount, estimated=usage.estimated)


class Day:
    """A clock that is set."""

    def __init__(self):
        self.now = datetime(2026, 3, 9, 23, 59, tzinfo=UTC)

    def __call__(self):
        return self.now


def priced(b, budget=None):
    """Have a bench price its replies; return its clock and what may be used."""
    day, allowed = Day(), [budget or Budget()]
    spending = Spending(b.store, Prices(), lambda: allowed[0], day)
    b.spend(spending)
    return day, allowed


COUNTED = (Text("Hello."), TokensUsed(100, 10))


async def test_a_reply_notes_its_cost_and_its_chat_and_the_day_count_it(bench):
    """A reply, the same anew, and a chat that goes: what was spent stays spent."""
    b = bench(COUNTED)
    priced(b)
    one = await b.send()
    message = await b.end(one)
    assert message.cost == Cost(amount=120)
    again = await b.regenerate(message.id)
    await b.end(again)
    twice = Spent(input_tokens=200, output_tokens=20, cost=240)
    chat = await b.engine.chat(OWNER, one.chat_id)
    assert chat.spent == twice
    assert [each.spent for each in b.heard.chats if each.spent][-1] == twice
    assert (await b.store.get_message(message.id)).cost == Cost(amount=120)
    await b.engine.delete_chat(OWNER, one.chat_id)
    assert (await b.engine.spending.today(OWNER)).spent == twice
    assert (await b.engine.spending.today("bob")).spent == Spent()


async def test_what_is_stopped_is_estimated_and_counts_once_for_each_part(bench):
    """Also where it is gone on with by a model whose price nobody knows."""
    b = bench((Text("x" * 40), Gate()))
    priced(b)
    one = await b.send("y" * 80)
    await b.shown(one, "x" * 40)
    await b.stop(message_id=one.message.id)
    stopped = await b.end(one)
    assert stopped.state is MessageState.INTERRUPTED
    assert stopped.cost == Cost(amount=20 + 2 * 10, estimated=True)
    spent = (await b.engine.spending.today(OWNER)).spent
    assert spent == Spent(input_tokens=20, output_tokens=10, cost=40, estimated=True)
    b.handlers["other:m"] = type(b.handler)(COUNTED)
    going = await b.go_on(stopped.id, model="other:m")
    ended = await b.end(going)
    assert ended.cost == Cost(amount=40, estimated=True)
    assert (await b.engine.spending.today(OWNER)).spent == Spent(
        input_tokens=120, output_tokens=20, cost=40, estimated=True, unpriced=True
    )


async def test_a_title_counts_to_its_chat(bench):
    """It is asked for by us, and paid for all the same."""
    b = bench(lambda turn: COUNTED, titles="model")
    priced(b)
    one = await b.send()
    await b.end(one)
    await b.quiet()
    assert (await b.engine.chat(OWNER, one.chat_id)).spent == Spent(
        input_tokens=200, output_tokens=20, cost=240
    )


@pytest.mark.parametrize("budget", [Budget(cost=120), Budget(tokens=110)])
async def test_a_budget_that_is_used_up_refuses_until_the_next_day(bench, budget):
    """Before anything is written or sent; a new day begins at midnight, UTC."""
    b = bench(COUNTED, titles="model")
    day, allowed = priced(b, budget)
    one = await b.send()
    await b.end(one)
    await b.quiet()
    asked = len(b.handler.replies)
    assert asked == 1, "no title is asked for either"
    for try_ in (
        lambda: b.send("More", one.chat_id),
        lambda: b.send("More"),
        lambda: b.regenerate(one.message.id),
        lambda: b.edit(one.user_message.id, "Other"),
    ):
        with pytest.raises(StopChatError) as refused:
            await try_()
        assert refused.value.code is ErrorCode.BUDGET_SPENT
    await b.quiet()
    assert len(b.handler.replies) == asked
    assert len(await b.store.get_messages(one.chat_id)) == 2
    assert b.engine.registry.empty
    await b.end(await b.send("Mine", owner="bob"))
    day.now += timedelta(minutes=1)
    await b.end(await b.send("Today", one.chat_id))
    allowed[0] = Budget()
    await b.end(await b.send("Without limit", one.chat_id))


async def test_a_reply_ends_though_nobody_tells_what_was_spent(bench, monkeypatch):
    """L5: a database that answers no more holds up no stop, and no end."""
    b = bench(COUNTED)
    priced(b, Budget(cost=120))
    monkeypatch.setattr("jupyter_stop_chat.engine.spending.PATIENCE", 0)
    one = await b.send()
    monkeypatch.setattr(b.store.spending, "on", lambda owner, day: asyncio.Event().wait())
    ended = await b.end(one)
    assert ended.state is MessageState.COMPLETED


async def test_a_queue_is_held_once_the_budget_is_used_up(bench):
    """What runs goes on to its end; what waits does so until there is a new day."""
    gate = Gate()
    b = bench(lambda turn: (gate, *COUNTED))
    day, _ = priced(b, Budget(cost=1))
    first = await b.send()
    second = await b.send("Next", first.chat_id)
    gate.open()
    await b.end(first)
    lane = b.engine.registry.lane(OWNER, first.chat_id)
    await turns_until(lambda: lane.state == "paused")
    resume = Resume(type="resume", chat_id=first.chat_id)
    with pytest.raises(StopChatError) as refused:
        await b.engine.resume(OWNER, resume)
    assert refused.value.code is ErrorCode.BUDGET_SPENT
    assert lane.state == "paused"
    day.now += timedelta(minutes=1)
    await b.engine.resume(OWNER, resume)
    assert (await b.end(second)).state is MessageState.COMPLETED


async def test_a_price_that_does_not_come_keeps_no_reply(bench, monkeypatch):
    """The list may lie on a disk that does not answer, or be broken."""
    b = bench(COUNTED)
    priced(b)
    monkeypatch.setattr("jupyter_stop_chat.engine.spending.PATIENCE", 0)
    never = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(Prices, "cost", lambda self, model_id, usage: never)
    message = await b.end(await b.send())
    assert message.state is MessageState.COMPLETED
    assert message.cost is None
    spent = (await b.engine.spending.today(OWNER)).spent
    assert spent == Spent(input_tokens=100, output_tokens=10, unpriced=True)


async def test_a_reply_over_midnight_counts_on_the_day_on_which_it_ends(bench, monkeypatch):
    """Whose budget is used up by it; what is told of a day is all of that day."""
    gate = Gate()
    b = bench((gate, *COUNTED))
    day, _ = priced(b, Budget(cost=1))
    one = await b.send()
    day.now += timedelta(minutes=1)
    gate.open()
    await b.end(one)
    assert await b.store.spending.on(OWNER, "2026-03-09") == Spent()
    with pytest.raises(StopChatError) as refused:
        await b.send("More")
    assert refused.value.code is ErrorCode.BUDGET_SPENT
    day.now += timedelta(minutes=24 * 60 - 1)
    read = type(b.store.spending).on

    async def slowly(self, owner, asked):
        found = await read(self, owner, asked)
        day.now += timedelta(minutes=1)
        return found

    monkeypatch.setattr(type(b.store.spending), "on", slowly)
    today = await b.engine.spending.today(OWNER)
    assert (today.day, today.begins_anew[:10], today.used_up) == ("2026-03-10", "2026-03-11", True)
    await b.end(await b.send("Tomorrow"))


async def test_a_stop_while_a_price_is_looked_up(bench, monkeypatch):
    """B1: it is a stop like any other, and what was used is counted once, with its price."""
    asked, told = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def cost(self, model_id, usage):
        asked.set()
        return await told

    b = bench(COUNTED)
    priced(b)
    monkeypatch.setattr(Prices, "cost", cost)
    one = await b.send()
    await asked.wait()
    stopping = [asyncio.create_task(b.stop(message_id=one.message.id)) for _ in range(2)]
    await asyncio.sleep(0)
    told.set_result(Cost(amount=120))
    results = [each for tried in await asyncio.gather(*stopping) for each in tried]
    message = await b.end(one)
    assert {each.outcome for each in results} == {"interrupted"}
    assert (message.state, message.text) == (MessageState.INTERRUPTED, "Hello.")
    assert message.cost == Cost(amount=120)
    spent = Spent(input_tokens=100, output_tokens=10, cost=120)
    assert (await b.engine.spending.today(OWNER)).spent == spent


@pytest.mark.parametrize("known", [True, False])
async def test_the_end_of_a_stop_waits_for_no_price_that_is_known(bench, monkeypatch, known):
    """V8, B9: it is written down in the step in which its task ends."""
    b = bench(["Hello you.", Gate()])
    priced(b)
    monkeypatch.setattr(Prices, "known", known)
    if not known:
        monkeypatch.setattr(Prices, "cost", AsyncMock(return_value=Cost(amount=7)))
    ran, run = [], b.engine.background.run

    def seen(work, name):
        ran.append(name)
        return run(work, name)

    monkeypatch.setattr(b.engine.background, "run", seen)
    one = await b.send()
    await b.shown(one, "Hello you.")
    (result,) = await b.stop(message_id=one.message.id)
    message = await b.end(one)
    assert (result.outcome, message.text) == ("interrupted", "Hello you.")
    assert (message.usage.estimated, message.cost.amount > 0) == (True, True)
    assert ran.count("settle") == (0 if known else 1)


async def test_a_title_whose_cost_cannot_be_counted_comes_all_the_same(bench, monkeypatch):
    """L10: and one that is given up while its price is looked up has been paid for."""
    b = bench(lambda turn: COUNTED, titles="model")
    priced(b)
    add = type(b.store.spending).add

    async def fail(self, chat_id, bill):
        raise StopChatError(ErrorCode.NOT_READABLE)

    monkeypatch.setattr(type(b.store.spending), "add", fail)
    one = await b.send()
    await b.end(one)
    await b.quiet()
    assert (await b.engine.chat(OWNER, one.chat_id)).title == "Hello."
    monkeypatch.setattr(type(b.store.spending), "add", add)
    asked, told = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def cost(self, model_id, usage):
        if len(b.handler.replies) < 4:
            return None
        asked.set()
        return await told

    monkeypatch.setattr(Prices, "cost", cost)
    other = await b.send()
    await b.end(other)
    await asked.wait()
    await b.engine.delete_chat(OWNER, other.chat_id)
    told.set_result(Cost(amount=120))
    await b.quiet()
    assert (await b.engine.spending.today(OWNER)).spent.cost == 240


async def test_several_servers_share_a_budget(bench, tmp_path):
    """By the store: what one of them spends, the other one refuses."""
    url = f"sqlite:///{tmp_path / 'chats.sqlite3'}"
    other = await open_store(url, owner_process="host:2:b")
    mine = await open_store(url, owner_process="host:1:a")
    try:
        b = bench(COUNTED, store=mine)
        priced(b, Budget(cost=1))
        await b.end(await b.send())
        beside = Spending(other, Prices(), lambda: Budget(cost=1), Day())
        with pytest.raises(StopChatError) as refused:
            await beside.check(OWNER)
        assert refused.value.code is ErrorCode.BUDGET_SPENT
    finally:
        await mine.close()
        await other.close()
