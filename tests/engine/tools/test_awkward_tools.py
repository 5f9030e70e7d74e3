"""Tools and models that do what nobody expects: the gate and its reply go on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from jupyter_stop_chat.engine.tools.gate import LONGEST_RESULT
from jupyter_stop_chat.ports.tools import (
    Change,
    PageError,
    Proposal,
    Tool,
    ToolError,
    ToolResult,
    Wanted,
)
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.aids.tool_calls import Acting, NoPages, a_tool
from tests.engine.tools.gates import a_gate, raising, wanted


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ToolError("There is no such file."), "There is no such file."),
        (ToolError(), "The tool failed."),
        (ValueError("sk-canary in /home/ada"), "an error of its own (ValueError)"),
        (asyncio.CancelledError(), "The tool was cancelled."),
        (TimeoutError(), "(TimeoutError)"),
        (SystemExit(3), "(SystemExit)"),
        (KeyboardInterrupt(), "(KeyboardInterrupt)"),
        (PageError("not_open"), "This document is open in no page."),
        (PageError("changed", {"source": "x = 2"}), "Read it again. It is now:\nx = 2"),
        (PageError("whatever"), "This could not be done, for a reason that nobody knows."),
    ],
)
async def test_what_a_tool_raises_is_an_answer(error: BaseException, words: str) -> None:
    """N15: the reply and the server go on, and nothing of an exception's own words leaves."""
    gate, _, _ = a_gate(raising(error))
    (result,) = await gate.run(wanted(1))
    assert result.failed
    assert result.text.endswith(words) or words in result.text
    assert "canary" not in result.text


async def test_a_tool_that_returns_no_result_has_failed() -> None:
    async def run(call: Any, args: Any) -> Any:
        return None

    (result,) = await a_gate(a_tool(run))[0].run(wanted(1))
    assert "(AttributeError)" in result.text


async def test_ids_that_a_model_uses_again_are_kept_apart() -> None:
    """N7: each call has a line, whatever its id looks like."""
    gate, kept, generation = a_gate(a_tool(Acting()))
    ids = ["x-2", "x", "x", "x-2", ""]
    await gate.run([Wanted(each, "act", '{"x": 1}') for each in ids])
    await generation.finish()
    assert len({each.call_id for each in kept.calls.values()}) == len(generation.tools) == 5


async def test_a_refusal_of_ours_ends_the_reply() -> None:
    gate, _, _ = a_gate(raising(StopChatError(ErrorCode.NOT_READABLE)))
    with pytest.raises(StopChatError):
        await gate.run(wanted(1))


async def test_a_long_result_is_cut_so_that_it_is_seen() -> None:
    """N1: a hundred megabytes cost no more than their beginning."""
    # Nobody's loop makes it.
    text = await asyncio.to_thread(lambda: "\0" + "x" * 100_000_000)

    async def run(call: Any, args: Any) -> ToolResult:
        return ToolResult(text)

    gate, kept, generation = a_gate(a_tool(run))
    (result,) = await gate.run(wanted(1))
    assert len(result.text) < LONGEST_RESULT + 100
    assert result.text.endswith("more characters were left out.]")
    assert "99,950,001" in result.text
    assert kept.calls[0].result == result.text
    await generation.finish()
    (line,) = generation.tools.values()
    assert len(line.result or "") <= 4096


async def test_many_arguments_hold_nobody_up() -> None:
    """N15: the loop goes on while they are looked at; the watchdog sees that."""
    numbers = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    schema = {"type": "object", "properties": {"x": numbers}, "required": ["x"]}

    async def run(call: Any, args: Any) -> ToolResult:
        return ToolResult(str(len(args["x"])))

    gate, _, _ = a_gate(Tool("sum", "Sum.", schema, "reads", run))
    args = json.dumps({"x": [7] * 60_000}, separators=(",", ":"))
    assert (await gate.run([Wanted("c", "sum", args)])) == [ToolResult("60000")]


# --- people ----------------------------------------------------------------------------------


async def test_an_effect_of_which_nobody_says_what_became_of_it() -> None:
    """N9, N10: the model is not told that it was not made."""

    class Silent(NoPages):
        async def ask(self, *args: Any, **more: Any) -> Any:
            raise PageError("failed")

    async def run(call: Any, args: Any) -> ToolResult:
        return ToolResult(await call.page("edit", {"path": "a"}, effect=bool(args["x"])))

    gate, _, _ = a_gate(a_tool(run))
    gate._pages = Silent()
    read, edited = await gate.run(wanted(0, 1))
    assert "Nobody said whether this was done" not in read.text
    assert "Nobody said whether this was done" in edited.text


async def test_a_cell_that_could_not_be_brought_back_is_not_deleted() -> None:
    """N10: a journal that no page could be told of would be none."""
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    cells = [{"metadata": {"x": deep}}, {"metadata": {"x": "\ud800"}}, {"metadata": {"x": [{}]}}]
    how: list[bool] = []

    def change(args: Any) -> Change:
        return Change("a.ipynb", "delete", "c", "code", "x", cell=cells[args["x"]])

    async def propose(call: Any, args: Any) -> Proposal:
        return Proposal((change(args),) if how[-1] else ())

    async def run(call: Any, args: Any) -> ToolResult:
        await call.note(change(args))
        return ToolResult("done")

    for proposes in (True, False):
        how.append(proposes)
        gate, kept, _ = a_gate(a_tool(run, propose=propose))
        results = await gate.run(wanted(0, 1, 2))
        assert [each.failed for each in results] == [True, True, False]
        assert "cannot be kept for Undo" in results[0].text
        assert len(kept.noted) == 1
