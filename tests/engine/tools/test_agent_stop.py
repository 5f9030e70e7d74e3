"""Stop in every phase of a reply that uses tools, as real LangChain models speak on the wire."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from statistics import median
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.engine.tools.approvals import Allowed
from jupyter_stop_chat.ports.tools import ToolResult
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.tools import CallCounts
from tests.aids.tool_calls import Acting, Person, a_tool
from tests.engine.bench import MODEL, Bench, bench_in_memory, turns_until
from tests.providers import Provider, Script, ToolUse
from tests.providers.chat_models import make_model, make_provider
from tests.providers.strict import pairs

KINDS = ["openai", "anthropic"]
_ids = iter(range(10**9))


def calls(*numbers: int, **more: Any) -> Script:
    """Make an answer that calls the tool once for each number."""
    uses = [ToolUse("act", {"x": each}, f"call_{next(_ids)}", **more) for each in numbers]
    return Script(tokens=["Well. "], tool_calls=uses)


class Agent:
    """An engine whose model has one tool, and the person it is asked about.

    :ivar settled: how long each stop took to its settled end, in milliseconds.
    """

    def __init__(self, bench: Bench, provider: Provider) -> None:
        self.bench, self.provider = bench, provider
        self.person = Person()
        self.acting = Acting()
        self.chat_id: str | None = None
        self.settled: list[float] = []

    async def ask(self, script: Script, acting: Acting, touches: Any = "reads") -> Any:
        """Send a prompt that the model answers so."""
        self.acting = acting
        self.provider.requests.clear()
        self.bench.use(a_tool(acting, touches=touches), approvals=self.person)
        self.provider.scripts.append(script)
        accepted = await self.bench.send(chat_id=self.chat_id, mode="agent")
        self.chat_id = accepted.chat_id
        generation = self.bench.engine.generation(accepted.message.id)
        assert generation is not None
        acting.is_stopped = lambda: generation.stop is not None
        return accepted

    async def stopped(self, accepted: Any) -> Any:
        """Stop it, and see that nothing began after that and the next turn is taken."""
        (result,) = await self.bench.stop(message_id=accepted.message.id)
        message = await self.bench.end(accepted)
        assert message.state is MessageState.INTERRUPTED, message.error
        assert result.receipt is not None
        assert result.receipt.settled_ms is not None
        self.settled.append(result.receipt.settled_ms)
        assert self.acting.late == []
        assert all(each.state in {"completed", "interrupted"} for each in message.tools)
        before = len(self.provider.requests)
        self.provider.scripts.append(Script(tokens=["Next."]))
        again = await self.bench.end(await self.bench.send("and?", self.chat_id, mode="agent"))
        # Providers refuse what the real ones do.
        assert (again.state, again.text) == (MessageState.COMPLETED, "Next."), again.error
        assert len(self.provider.requests) == before + 1
        return message


@asynccontextmanager
async def an_agent(kind: str) -> AsyncIterator[Agent]:
    async with make_provider(kind) as provider, bench_in_memory() as bench:
        handler = LangChainHandler(make_model(kind, provider.base_url))
        bench.handlers[MODEL] = handler
        yield Agent(bench, provider)
        await handler.close()


# --- the phases ------------------------------------------------------------------------------


async def before_the_first_token(agent: Agent) -> None:
    script = Script(stall="after_headers")
    accepted = await agent.ask(script, Acting())
    await (await agent.provider.next_request()).stalled.wait()
    message = await agent.stopped(accepted)
    assert message.tools == ()


async def in_the_arguments(agent: Agent) -> None:
    """What was cut off is no call: it never runs, and no later turn is told of it."""
    accepted = await agent.ask(calls(1, stalls=True), Acting())
    await (await agent.provider.next_request()).stalled.wait()
    message = await agent.stopped(accepted)
    assert (message.tools, agent.acting.effects) == ((), [])


async def waiting_for_approval(agent: Agent) -> None:
    accepted = await agent.ask(calls(1, 2), Acting(), "edits")
    await agent.person.asked.wait()
    agent.person.asked.clear()
    message = await agent.stopped(accepted)
    assert agent.acting.effects == []
    assert message.stop.calls == CallCounts(not_begun=2)
    told = dict(pairs(agent.provider.requests[-1].body))
    assert "before it began" in told["act"]


async def as_it_is_approved(agent: Agent) -> None:
    """The answer and the stop come in one turn of the loop, either of them first."""
    for turns in range(3):
        accepted = await agent.ask(calls(1), Acting(), "edits")
        await agent.person.asked.wait()
        agent.person.says(Allowed())
        for _ in range(turns):
            await asyncio.sleep(0)
        message = await agent.stopped(accepted)
        began = bool(agent.acting.effects)
        assert message.stop.calls.not_begun == (0 if began else message.stop.calls.not_begun)


async def in_a_tool(agent: Agent) -> None:
    accepted = await agent.ask(calls(1, 2, 3), Acting(waits_at=2))
    await agent.acting.running.wait()
    message = await agent.stopped(accepted)
    assert agent.acting.effects == [1, 2]
    assert message.stop.calls == CallCounts(completed=1, interrupted=1, not_begun=1)
    assert [each.duration_ms is None for each in message.tools] == [False, False, True]
    told = [answer for _, answer in pairs(agent.provider.requests[-1].body)][-3:]
    assert told[0] == "did 1"
    assert "may have had effects" in told[1]
    assert "before it began" in told[2]


async def between_two_calls(agent: Agent) -> None:
    acting = Acting()
    between = asyncio.Event()
    acting.after = lambda x: between.set() if x == 1 else None
    accepted = await agent.ask(calls(1, 2, 3), acting)
    await between.wait()
    message = await agent.stopped(accepted)
    counts = message.stop.calls
    assert counts.completed + counts.interrupted + counts.not_begun == 3
    assert acting.effects[0] == 1


PHASES: list[Callable[[Agent], Any]] = [
    before_the_first_token,
    in_the_arguments,
    waiting_for_approval,
    as_it_is_approved,
    in_a_tool,
    between_two_calls,
]


async def _tried(kind: str, tries: int) -> None:
    async with an_agent(kind) as agent:
        for phase in PHASES:
            agent.settled.clear()
            for number in range(tries):
                # A chat of hundreds of turns is another test's.
                agent.chat_id = agent.chat_id if number % 5 else None
                await phase(agent)
            worst, usual = max(agent.settled), median(agent.settled)
            print(f"{kind}, {phase.__name__}: {usual:.1f} ms, at worst {worst:.1f} ms")


@pytest.mark.parametrize("kind", KINDS)
async def test_stop_in_every_phase(kind: str) -> None:
    """N9, N11, N12, N16, V8: nothing begins after it, and the next turn is taken."""
    await _tried(kind, 1)


@pytest.mark.stress
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
async def test_stop_in_every_phase_often(kind: str) -> None:
    """N9, N11, N12, N16: twenty times each, in one chat; with `-s` it tells how long each took."""
    await _tried(kind, 20)


async def test_what_runs_in_a_thread_is_still_running() -> None:
    """N7, N9, B2: nothing ends a thread; its line says so, and that it has ended once it has."""
    held, began = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold() -> str:
        loop.call_soon_threadsafe(began.set)
        held.wait(20)
        return "late"

    async def run(call: Any, args: Any) -> ToolResult:
        return ToolResult(await call.in_thread(hold))

    async with an_agent("openai") as agent:
        agent.bench.use(a_tool(run))
        agent.provider.scripts.append(calls(1))
        accepted = await agent.bench.send(mode="agent")
        await began.wait()
        await agent.bench.stop(message_id=accepted.message.id)
        message = await agent.bench.end(accepted)
        assert [each.state for each in message.tools] == ["still_running"]
        assert message.stop is not None
        assert message.stop.calls == CallCounts(interrupted=1)
        assert agent.bench.engine.runaway == 1
        held.set()

        async def ended() -> bool:
            kept = await agent.bench.store.get_message(message.id)
            return [each.state for each in kept.tools] == ["interrupted"]

        while not await ended():  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.002)
        assert agent.bench.heard.tools()[-1].state == "interrupted"


async def test_a_tool_that_does_not_unwind_is_still_running() -> None:
    """N7, J3: it is given up on in time, and its line changes when it ends."""
    swallowed, release = asyncio.Event(), asyncio.Event()

    async def run(call: Any, args: Any) -> ToolResult:
        call.begin()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
            await release.wait()
        return ToolResult("late")

    async with make_provider("openai") as provider, bench_in_memory(stop_deadline=0.01) as bench:
        handler = LangChainHandler(make_model("openai", provider.base_url))
        bench.handlers[MODEL] = handler
        bench.use(a_tool(run))
        provider.scripts.append(calls(1))
        accepted = await bench.send(mode="agent")
        generation = bench.engine.generation(accepted.message.id)
        await turns_until(lambda: any(e.state == "running" for e in generation.tools.values()))
        await turns_until(partial(bool, generation.lines.made))
        await bench.stop(message_id=accepted.message.id)
        message = await bench.end(accepted)
        await turns_until(swallowed.is_set)
        assert [each.state for each in message.tools] == ["still_running"]
        release.set()
        await turns_until(lambda: bench.heard.tools()[-1].state == "interrupted")
        await handler.close()
