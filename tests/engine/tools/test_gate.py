"""The gate by itself: what goes through it, what does not, and what the model is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from jupyter_stop_chat.engine.tools.approvals import Allowed, Refused
from jupyter_stop_chat.engine.tools.bounds import ToolLimits
from jupyter_stop_chat.engine.tools.gate import ToolGate
from jupyter_stop_chat.ports.handler import Text, TokensUsed
from jupyter_stop_chat.ports.tools import (
    LONGEST_ARGS,
    Asking,
    Change,
    Proposal,
    Told,
    ToolError,
    ToolResult,
    Wanted,
)
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.aids.generations import a_generation
from tests.aids.tool_calls import Acting, NoPages, Person, a_tool
from tests.engine.tools.gates import Kept, a_gate, raising, wanted


async def test_calls_go_one_after_another_and_are_written_ahead() -> None:
    """N7, N9: all of an answer are written down before one begins, each before its effect."""
    acting = Acting()
    gate, kept, generation = a_gate(a_tool(acting))
    generation.apply(Text("Hm."))
    acting.after = lambda x: kept.order.append(f"did {x}")
    results = await gate.run(wanted(1, 2))
    assert results == [ToolResult("did 1"), ToolResult("did 2")]
    assert kept.order == [
        *("0 waiting", "1 waiting"),
        *("0 running", "did 1", "0 completed"),
        *("1 running", "did 2", "1 completed"),
    ]
    await generation.finish()
    (first, second) = generation.tools.values()
    assert (first.state, first.result, first.at, first.touches) == (
        "completed",
        "did 1",
        3,
        "reads",
    )
    assert (first.args, second.call_id) == ('{"x": 1}', "call_2")
    assert first.duration_ms is not None
    assert await gate.run(wanted(1)) == [ToolResult("did 1")]
    assert [each.step for each in kept.calls.values()] == [1, 1, 2]
    assert len({each.call_id for each in kept.calls.values()}) == 3


@pytest.mark.parametrize(
    ("call", "state", "words"),
    [
        (Wanted("c", "act", '{"x": 1}', whole=False), "refused", "cut off"),
        (Wanted("c", "nope", "{}"), "failed", "There are: act"),
        (Wanted("c", "act", '{"x": 1'), "failed", "no valid JSON"),
        (Wanted("c", "act", '{"x": NaN}'), "failed", "no valid JSON"),
        (Wanted("c", "act", '{"x": 1}{"x": 2}'), "failed", "no valid JSON"),
        (Wanted("c", "act", "[1]"), "failed", "not a JSON object"),
        (Wanted("c", "act", ""), "failed", "'x' is a required property"),
        (Wanted("c", "act", '{"x": "1"}'), "failed", "(x)"),
        (Wanted("c", "act", '{"x": "%s"}' % ("é" * 9999)), "failed", "…"),
        (Wanted("c", "act", "[" * 100_000), "failed", "nested too deeply"),
        (Wanted("c", "act", '{"x": 1%s}' % (" " * LONGEST_ARGS)), "failed", "longer than"),
        (Wanted("", "\ud800\0" * 500, "\ud800"), "failed", "no such tool"),
    ],
)
async def test_what_does_not_fit_never_begins(call: Wanted, state: str, words: str) -> None:
    """N15, N16: a clear word for the model, and a line for the person."""
    acting = Acting()
    gate, kept, generation = a_gate(a_tool(acting))
    (result,) = await gate.run([call])
    assert result.failed
    assert words in result.text
    assert len(result.text) < 600
    assert acting.effects == []
    assert kept.calls[0].state == state
    assert kept.calls[0].result == result.text
    await generation.finish()
    (line,) = generation.tools.values()
    assert (line.state, line.duration_ms) == (state, None)


async def test_only_what_looks_needs_nobody() -> None:
    """N8, N19: the rest is asked for, and so is what a tool says must always be."""

    async def careful(call: Any, args: Any) -> Proposal:
        return Proposal(always_asked=True)

    acting, person = Acting(), Person()
    gate, kept, generation = a_gate(
        a_tool(acting),
        a_tool(acting, "edit", "edits"),
        a_tool(acting, "secret", propose=careful),
        person=person,
    )
    await gate.run(wanted(1))
    for name in ("edit", "secret"):
        task = asyncio.ensure_future(gate.run(wanted(2, name=name)))
        await person.asked.wait()
        assert acting.effects == [1]
        assert person.questions[-1].args == '{"x": 2}'
        await asyncio.sleep(0)
        person.says(Refused("not now"))
        (result,) = await task
        assert result.text.endswith("Their words: not now")
    assert [each.state for each in kept.calls.values()] == ["completed", "refused", "refused"]
    task = asyncio.ensure_future(gate.run(wanted(3, name="edit")))
    await person.asked.wait()
    person.says(Allowed())
    assert await task == [ToolResult("did 3")]
    await generation.finish()
    assert all(each.approval is None for each in generation.tools.values())


async def test_what_changed_meanwhile_is_asked_anew() -> None:
    """N8: as often as it changes, and not for ever."""
    person, proposals = Person(), []

    async def propose(call: Any, args: Any) -> Proposal:
        proposals.append(Proposal((Change("a.ipynb", "replace", before=str(len(proposals))),)))
        return proposals[-1]

    async def run(call: Any, args: Any) -> ToolResult:
        if len(proposals) < 3 or args["x"] == 2:
            raise Asking
        return ToolResult(call.proposal.changes[0].before)

    gate, _, _ = a_gate(a_tool(run, touches="edits", propose=propose), person=person)
    task = asyncio.ensure_future(gate.run(wanted(1)))
    for _ in range(3):
        await person.asked.wait()
        person.says(Allowed())
        await asyncio.sleep(0)
    assert await task == [ToolResult("2")]
    task = asyncio.ensure_future(gate.run(wanted(2)))
    for _ in range(5):
        await person.asked.wait()
        person.says(Allowed())
        await asyncio.sleep(0)
    assert "changes faster" in (await task)[0].text


async def test_a_stop_between_the_word_and_the_effect() -> None:
    """N9: whichever comes first in one turn of the loop, nothing begins after the stop."""
    for turns in range(8):
        acting, person = Acting(), Person()
        gate, _, generation = a_gate(a_tool(acting, touches="runs"), person=person)
        task = asyncio.ensure_future(gate.run(wanted(1)))
        acting.is_stopped = lambda of=generation: of.stop is not None  # type: ignore[misc]
        await person.asked.wait()
        person.says(Allowed())
        for _ in range(turns):
            await asyncio.sleep(0)
        generation.begin_stop("user")  # and the cancel is lost on its way
        await asyncio.wait({task})
        assert acting.late == []
        assert task.cancelled() or acting.effects == [1]


# --- bounds ----------------------------------------------------------------------------------


async def test_a_reply_is_bounded() -> None:
    """N15: requests, tokens, calls at once, and the same call that fails."""
    acting = Acting()
    gate, kept, generation = a_gate(a_tool(acting), max_steps=2, max_calls_per_step=2)
    gate.step()
    results = await gate.run(wanted(1, 2, 3))
    assert [each.failed for each in results] == [False, False, True]
    assert "at most 2 calls" in results[2].text
    assert kept.calls[2].state == "refused"
    gate.step()
    assert not (await gate.run(wanted(4)))[0].failed
    with pytest.raises(StopChatError) as raised:
        gate.step()
    assert raised.value.code is ErrorCode.TOO_MANY_STEPS
    gate, _, _ = a_gate(a_tool(Acting()), max_calls=2)
    gate.step()
    await gate.run(wanted(1, 2))
    with pytest.raises(StopChatError):
        gate.step()
    gate, _, generation = a_gate(raising(ToolError("no")), max_tokens=100, max_failures=2)
    gate.step()
    generation.apply(TokensUsed(60, 30))
    gate.step()
    texts = [(await gate.run(wanted(1)))[0].text for _ in range(3)]
    assert texts[:2] == ["no", "no"]
    assert "has failed 2 times" in texts[2]
    assert (await gate.run(wanted(2)))[0].text == "no"
    generation.apply(TokensUsed(10, 0))
    with pytest.raises(StopChatError):
        gate.step()


async def test_what_is_changed_is_written_down_before_and_counted() -> None:
    """N10, N12, N15: cells and files, each once; and no more inserted than a reply may."""

    async def run(call: Any, args: Any) -> ToolResult:
        change = Change("a.ipynb", "insert" if args["x"] > 1 else "replace", f"c{args['x']}")
        n = await call.note(change)
        call.begin()
        await call.noted(n, done=args["x"] != 3)
        n = await call.note(Change("b.txt", "write", after="x"))
        await call.noted(n, done=True)
        return ToolResult("ok")

    gate, kept, generation = a_gate(a_tool(run), max_cells_inserted=2)
    results = await gate.run(wanted(1, 1, 2, 3, 4))
    assert [each.failed for each in results] == [False, False, False, False, True]
    assert "may insert 2 cells" in results[-1].text
    assert [kept.marked[n] for n in (1, 3, 5, 7)] == ["done", "done", "done", "failed"]
    generation.begin_stop("user")
    generation.end_tools()
    receipt = generation.receipt()
    assert receipt is not None
    assert receipt.calls is not None
    counts = receipt.calls
    assert (counts.completed, counts.cells_changed, counts.files_changed) == (5, 2, 1)


async def test_pages_are_asked_for_what_was_not_stopped() -> None:
    """N9."""

    async def run(call: Any, args: Any) -> ToolResult:
        return ToolResult(await call.page("read", {"path": "a.ipynb"}))

    gate, _, generation = a_gate(a_tool(run))
    assert (await gate.run(wanted(1)))[0].text == "No page of JupyterLab is there."
    generation.begin_stop("user")
    with pytest.raises(asyncio.CancelledError):
        await gate.run(wanted(2))


async def test_a_reply_that_goes_on_numbers_its_calls_behind_the_earlier_ones() -> None:
    told = Told(3, 0, "call_1", "act", '{"x": 1}', "completed", "did 1")
    kept, generation = Kept(), a_generation()
    gate = ToolGate(
        generation,
        [a_tool(Acting())],
        kept,
        kept,
        Person(),
        NoPages(),
        ToolLimits(),
        lambda work: None,
        before=[told, replace(told, call_id="call_2")],
    )
    await gate.run(wanted(1))
    assert list(kept.calls) == [2]
    assert (kept.calls[2].step, kept.calls[2].call_id) == (4, "call_1-2")
