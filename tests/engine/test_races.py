"""Races: the stop at every await point, and against every end."""

from __future__ import annotations

import asyncio
import random
import types
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any

import pytest

from jupyter_stop_chat.ports.handler import TokensUsed, ToolEnded, ToolStarted
from jupyter_stop_chat.testing import Raise
from jupyter_stop_chat.wire.objects import TERMINAL, MessageState, Outcome
from tests.engine.bench import Bench, new_id
from tests.engine.stores import WatchedStore, open_watched

#: Every kind of step that a reply is made of, so that its await points are all there are.
SCRIPT = ["one ", TokensUsed(1, 1), "two ", ToolStarted("c", "t"), ToolEnded("c"), "three"]
FAILING = ["one ", "two ", Raise(RuntimeError("failed"))]
KINDS = ("generation ", "commit ", "stop-chat ")


@pytest.fixture
def store(jp_asyncio_loop: asyncio.AbstractEventLoop, db_url: str) -> Iterator[WatchedStore]:
    """Open a store."""
    opened = jp_asyncio_loop.run_until_complete(open_watched(db_url))
    yield opened
    jp_asyncio_loop.run_until_complete(opened.close())


class Stepper:
    """A scheduler that calls back at one await point of the engine's tasks.

    :param at: which one, counted over all of them.
    """

    def __init__(self, at: int, call: Callable[[], None]) -> None:
        self.at = at
        self.points = 0
        self._call = call

    def factory(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **more: Any
    ) -> asyncio.Task[Any]:
        """Make a task whose steps are counted."""
        task: asyncio.Task[Any] = asyncio.Task(self._whole(work), loop=loop, **more)
        return task

    async def _whole(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do all of it: a generator is no coroutine for a task since Python 3.12."""
        return await self._stepped(work)

    @types.coroutine
    def _stepped(self, work: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        send: Callable[[], Any] = lambda: work.send(None)  # noqa: E731
        while True:
            try:
                waits_for = send()
            except StopIteration as end:
                return end.value
            self._point()
            try:
                value = yield waits_for
                send = lambda value=value: work.send(value)  # noqa: E731
            except BaseException as error:
                send = lambda error=error: work.throw(error)  # noqa: E731

    def _point(self) -> None:
        task = asyncio.current_task()
        if task is None or not task.get_name().startswith(KINDS):
            return
        self.points += 1
        if self.points == self.at:
            self._call()


async def _one(store: WatchedStore, script: Any, at: int, **target: Any) -> tuple[int, Bench]:
    """Make one reply, and stop it at one await point of all that the engine does for it."""
    b = Bench(script, store=store)
    request_id = new_id()
    stops: list[asyncio.Task[Any]] = []
    shown: list[int] = []

    def stop() -> None:
        for generation in b.engine.running():
            shown.append(generation.text.length)
        where = target or {"request_id": request_id}
        stops.append(asyncio.get_running_loop().create_task(b.stop(**where)))

    stepper = Stepper(at, stop)
    loop = asyncio.get_running_loop()
    loop.set_task_factory(stepper.factory)  # type: ignore[arg-type]
    try:
        accepted = await b.send(request_id=request_id)
        message = await b.end(accepted)
        await b.quiet()
        answers = [await each for each in stops]
    finally:
        loop.set_task_factory(None)
    await b.check()
    assert b.heard.terminals(message.id) <= 1
    kept = await b.store.get_message(message.id)
    assert kept == message
    assert message.state in TERMINAL
    assert all(tool.state != "running" for tool in message.tools)
    for results in answers:
        outcomes = {result.outcome for result in results}
        if outcomes & {Outcome.INTERRUPTED, Outcome.REMEMBERED}:
            assert message.state is MessageState.INTERRUPTED
        if message.state is MessageState.INTERRUPTED:
            assert outcomes <= {Outcome.INTERRUPTED, Outcome.REMEMBERED}
    if message.state is MessageState.INTERRUPTED:
        assert shown
        # B4: not longer than what could be seen at the next step of the loop.
        assert message.text_length <= len("one two three")
    messages = await b.store.get_messages(message.chat_id)
    assert [each.role for each in messages] == ["user", "assistant"]
    for reply in b.handler.replies:
        assert reply.ended.is_set()
    await b.close()
    return stepper.points, b


@pytest.mark.parametrize("script", [SCRIPT, FAILING], ids=["completes", "fails"])
@pytest.mark.parametrize("target", ["request", "all"])
async def test_the_stop_at_every_await_point(store, script, target):
    """B1, V7, J2, rule 6: one terminal state, no late write, nothing left, the prompt once."""
    where: dict[str, Any] = {"all": True} if target == "all" else {}
    ends = set()
    total, at = await _one(store, script, at=0, **where), 0
    assert total[0] >= 10, "the scheduler sees the engine's tasks"
    while total[0] >= at:  # how many there are is for the database to say
        at += 1
        total = await _one(store, script, at=at, **where)
        ends |= {states[-1] for states in total[1].heard.states.values() if states}
    assert MessageState.INTERRUPTED in ends
    assert ends & {MessageState.COMPLETED, MessageState.FAILED}


async def _race(b: Bench, chance: random.Random) -> MessageState:
    """Let a stop and an end meet somewhere."""
    b.store.turns = chance.randrange(3)
    accepted = await b.send()
    await b.store.steps(chance.randrange(14))
    targets = [{"message_id": accepted.message.id}, {"chat_id": accepted.chat_id}, {"all": True}]
    first = asyncio.create_task(b.stop(**chance.choice(targets)))
    await b.store.steps(chance.randrange(3))
    (second,) = await b.stop(message_id=accepted.message.id)
    results = await first
    message = await b.end(accepted)
    kept = await b.store.get_message(accepted.message.id)
    assert kept == message
    interrupted = message.state is MessageState.INTERRUPTED
    for result in (*results, second):
        was = result.outcome in {Outcome.INTERRUPTED, Outcome.ALREADY_INTERRUPTED}
        assert was == interrupted
        assert result.receipt == message.stop
    assert b.heard.terminals(message.id) <= 1
    return message.state


@pytest.mark.parametrize(
    "rounds", [100, pytest.param(10_000, marks=[pytest.mark.stress, pytest.mark.timeout(900)])]
)
async def test_many_stops_against_ends(store, rounds):
    """V7, rule 6: no flip, one terminal state each."""
    chance = random.Random(20)
    ends: dict[MessageState, int] = {}
    scripts: tuple[Callable[[], list[Any]], ...] = (
        lambda: ["a", "b"],
        lambda: ["a", "b", "c", "d"],
        lambda: ["a", Raise(RuntimeError())],
        lambda: [],
    )
    b = Bench(store=store)
    for number in range(rounds):
        if number % 250 == 249:  # a fresh one, since it remembers all that it heard
            await b.check()
            await b.close()
            b = Bench(store=store)
        b.handler.script = scripts[number % len(scripts)]()
        state = await _race(b, chance)
        ends[state] = ends.get(state, 0) + 1
    await b.check()
    await b.close()
    assert sum(ends.values()) == rounds
    assert min(ends[state] for state in TERMINAL) > rounds / 20, ends
