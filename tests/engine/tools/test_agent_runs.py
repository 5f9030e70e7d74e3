"""Cells that a model runs: Stop in each phase, what the receipt tells, and the turns after it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from jupyter_stop_chat.engine.tools.approvals import Refused
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.tools import CallCounts
from tests.engine.bench import turns_until
from tests.engine.tools.acting import answer
from tests.engine.tools.runner import KINDS, A, Runner, running
from tests.providers import Script, ToolUse
from tests.providers.strict import pairs
from tests.tools.notebooks import stream
from tests.tools.runs.bench import PNG


@pytest.mark.parametrize("kind", [*KINDS, "responses"])
async def test_a_cell_runs_and_the_model_sees_what_it_shows(kind: str) -> None:
    """N1, N7, N11: its outputs and its picture, in this reply; the words alone in the next."""
    async with running(kind) as r:
        picture = {"output_type": "display_data", "data": {"image/png": PNG}, "metadata": {}}
        r.kernel.ends = [("done", [stream("4\n"), picture])]
        accepted = await r.ask("one")
        r.provider.scripts.append(Script(tokens=["Seen."]))
        await r.allowed()
        message = await r.bench.end(accepted)
        assert (message.state, message.text) == (MessageState.COMPLETED, "Well. \n\nSeen.")
        (line,) = message.tools
        assert (line.state, line.touches) == ("completed", "runs")
        body = r.provider.requests[-1].body
        assert "iVBOR" in json.dumps(body)
        body = await r.next_turn()
        assert "iVBOR" not in json.dumps(body)
        ((name, told),) = pairs(body)
        assert name == "run_cell"
        assert "Output, stdout" in str(told)
        (ran,) = await r.bench.store.journal.changes(message.id)
        assert (ran.change.action, ran.state) == ("run", "done")
        assert message.changes is None, "a run cannot be undone"


async def test_a_person_allows_runs_once_or_always_and_may_refuse() -> None:
    """N8: by a rule for this tool alone; refused it is told, with their reason."""
    async with running("openai", approvals=None) as r:
        r.kernel.ends = [("done", ())]

        async def asked(accepted: Any) -> Any:
            generation = r.bench.engine.generation(accepted.message.id)
            assert generation is not None
            waits = lambda: any(each.state == "asked" for each in generation.tools.values())  # noqa: E731
            await turns_until(waits)
            return next(iter(generation.tools.values()))

        accepted = await r.ask("one")
        call = await asked(accepted)
        assert call.approval.by_rule
        proposed = r.bench.engine.approvals.proposed(accepted.message.id)[call.call_id]
        assert [each.before for each in proposed.changes] == ["x = 1"]
        r.provider.scripts.append(Script(tokens=["No."]))
        await answer(r.bench, accepted, call, "refuse", reason="Not now.")
        message = await r.bench.end(accepted)
        assert message.tools[0].state == "refused"
        assert "Not now." in message.tools[0].result
        assert r.kernel.runs == []
        accepted = await r.ask("one")
        r.provider.scripts.append(Script(tokens=["Ran."]))
        await answer(r.bench, accepted, await asked(accepted), "always")
        assert (await r.bench.end(accepted)).tools[0].state == "completed"
        accepted = await r.ask("two")
        r.provider.scripts.append(Script(tokens=["Ran."]))
        assert (await r.bench.end(accepted)).tools[0].state == "completed"
        assert [each.source for each in r.kernel.runs] == ["x = 1", "y = 2"]


# --- Stop in each phase ----------------------------------------------------------------------


async def while_asked(r: Runner) -> None:
    accepted = await r.ask("one", "two")
    await r.person.asked.wait()
    message = await r.stopped(accepted)
    assert message.stop.calls == CallCounts(not_begun=2)
    assert message.stop.kernel is None
    assert r.kernel.runs == []


async def while_the_kernel_is_busy(r: Runner) -> None:
    r.kernel.free.clear()
    accepted = await r.ask("one")
    await r.allowed()
    generation = r.bench.engine.generation(accepted.message.id)
    assert generation is not None
    await turns_until(lambda: any(e.waits_for == "kernel" for e in generation.tools.values()))
    message = await r.stopped(accepted)
    (line,) = message.tools
    assert (line.state, line.waits_for) == ("interrupted", None)
    r.kernel.free.set()
    assert r.kernel.runs == []


async def while_the_page_is_silent(r: Runner) -> None:
    asked = asyncio.Event()
    accepted = await r.ask("one")
    hear = r.tab._hear

    def deaf(frame: Any) -> None:
        if getattr(frame, "operation", "") == "run":
            asked.set()
        else:
            hear(frame)

    r.tab._hear = deaf  # type: ignore[method-assign]
    await r.allowed()
    await asked.wait()
    message = await r.stopped(accepted)
    assert message.stop.kernel.answer == "refused"
    r.kernel.run.begins("x = 1")
    assert r.kernel.run.source is None


async def while_it_runs(r: Runner) -> None:
    accepted = await r.ask("one", "two")
    await r.allowed()
    await r.kernel.begun.wait()
    generation = r.bench.engine.generation(accepted.message.id)
    assert generation is not None
    assert generation.deadline.paused, "a cell's time is its own"
    message = await r.stopped(accepted)
    kernel = message.stop.kernel
    assert (kernel.answer, kernel.exact, kernel.idle_ms is not None) == ("raised", True, True)
    assert message.stop.calls == CallCounts(interrupted=1, not_begun=1)
    assert [each.state for each in message.tools] == ["interrupted", "interrupted"]
    (first, second) = (told for _, told in pairs(r.provider.requests[-1].body))
    assert "may have had effects" in str(first)
    assert "before it began" in str(second)


async def as_it_ends(r: Runner) -> None:
    accepted = await r.ask("one")
    await r.allowed()
    await r.kernel.begun.wait()
    r.kernel.run.finish()
    message = await r.stopped(accepted)
    assert r.kernel.run.interrupts <= 1
    assert message.tools[0].state in {"interrupted", "completed"}


PHASES: list[Callable[[Runner], Awaitable[None]]] = [
    while_asked,
    while_the_kernel_is_busy,
    while_the_page_is_silent,
    while_it_runs,
    as_it_ends,
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phase", PHASES, ids=lambda each: each.__name__)
async def test_stop_in_each_phase(kind: str, phase: Callable[[Runner], Awaitable[None]]) -> None:
    """N2, N3, N9, N11, N12: nothing begins after it, and the next turn is taken."""
    async with running(kind) as r:
        await phase(r)


async def test_the_kernels_own_interrupt_ends_the_cell_alone() -> None:
    """N2, N5: the reply goes on, and its model hears who it was."""
    async with running("openai") as r:
        accepted = await r.ask("one")
        await r.allowed()
        await r.kernel.begun.wait()
        r.provider.scripts.append(Script(tokens=["I see."]))
        r.kernel.run.finish("error", error=("KeyboardInterrupt", ""))
        message = await r.bench.end(accepted)
        assert message.state is MessageState.COMPLETED
        ((_, told),) = pairs(r.provider.requests[-1].body)
        assert "KeyboardInterrupt: interrupted by the person" in told


async def test_a_server_that_ends_in_order_ends_the_cell() -> None:
    """N2: it alone, and its line says what became of it."""
    async with running("openai") as r:
        accepted = await r.ask("one")
        await r.allowed()
        await r.kernel.begun.wait()
        await r.bench.engine.shutdown()
        message = await r.bench.end(accepted)
        assert message.stop is not None
        assert message.stop.reason == "server_shutdown"
        assert message.stop.kernel is not None
        assert message.stop.kernel.answer == "raised"
        assert [each.state for each in message.tools] == ["interrupted"]


async def test_a_refused_restart_leaves_the_kernel() -> None:
    """N19: asked each time, whatever rules there are."""
    async with running("openai") as r:
        uses = [ToolUse("restart_kernel", {"path": A}, "call_r")]
        r.provider.scripts.extend([Script(tool_calls=uses), Script(tokens=["Well."])])
        accepted = await r.bench.send(mode="agent")
        await r.person.asked.wait()
        r.person.says(Refused())
        message = await r.bench.end(accepted)
        assert [each.state for each in message.tools] == ["refused"]
        assert r.kernels.calls == []
