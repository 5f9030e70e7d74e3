"""A cell is run as it was allowed, in a page or from the server, and its end is told."""

from __future__ import annotations

import asyncio
import json

import pytest

from jupyter_stop_chat.ports.tools import ToolError
from jupyter_stop_chat.tools.runs import attempt
from jupyter_stop_chat.tools.seen import digest_of
from jupyter_stop_chat.wire.errors import StopChatError
from tests.aids.turns import until
from tests.tools.notebooks import cell, stream
from tests.tools.runs.bench import RunCall

A = "a.ipynb"


async def test_a_cell_runs_in_its_page_and_its_outputs_are_told(page, kernel, kept, begin):
    """N1: exactly the source that was allowed; nothing is kept, since they are in the cell."""
    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    assert call.own == 1, "the reply's own time stands still"
    kernel.run.finish("done", stream("4\n"))
    result = await running
    assert not result.failed
    assert "ran to its end in 0.0 s" in result.text
    assert "[3]" in result.text
    assert "Output, stdout:\n```\n4\n```" in result.text
    (proposal,) = call.asked
    (change,) = proposal.changes
    assert (change.action, change.cell_id, change.cell_type) == ("run", "one", "code")
    assert (change.before, change.after) == ("x = 1", None)
    assert not proposal.always_asked
    await until(lambda: call.journal == [(change, "done")])
    assert kernel.run.source == "x = 1"
    assert kernel.run.msg_id is not None
    assert page.put == [kernel.run.mark]
    assert kept.runs == []
    assert call.own == 0
    await until(lambda: kernel.used == 0)


@pytest.mark.parametrize(
    ("cell_id", "why"),
    [("two", "markdown cell"), ("three", "empty"), ("four", "no cell with the id four")],
)
async def test_what_cannot_be_run_is_said_before_anybody_is_asked(page, begin, cell_id, why):
    """N1."""
    call = RunCall(page)
    with pytest.raises(ToolError, match=why):
        await begin(call, cell_id=cell_id)
    assert call.asked == []


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("dead", "is dead: start it anew with restart_kernel"),
        ("restarting", "just being started"),
        ("no_answer", "says nothing"),
        ("failed", "cannot reach"),
        ("missing", "has no kernel: start one with restart_kernel"),
    ],
)
async def test_a_kernel_that_cannot_be_had_is_told_in_words(page, kernels, begin, fault, why):
    """N1."""
    kernels.fault = fault
    with pytest.raises(ToolError, match=why):
        await begin(RunCall(page))


async def test_without_a_kernel_nobody_is_asked(page, kernels, begin):
    """N1, N19."""
    kernels.kernel = None
    call = RunCall(page)
    with pytest.raises(ToolError, match="has no kernel"):
        await begin(call)
    assert call.asked == []


async def test_a_cell_that_changed_is_asked_anew(page, kernel, begin):
    """N8: in the page, in the very moment in which it would be sent."""
    call = RunCall(page)

    def types(operation: str) -> None:
        if operation == "run" and page.notebooks[A][0]["source"] == "x = 1":
            page.notebooks[A][0]["source"] = "x = 2"

    call.before_page = types
    kernel.ends = [("done", ())]
    await begin(call)
    assert [each.changes[0].before for each in call.asked] == ["x = 1", "x = 2"]
    assert [each.source for each in kernel.runs] == [None, "x = 2"]


async def test_a_cell_that_changes_while_the_kernel_is_busy_is_asked_anew(page, kernel, begin):
    """N8, N3: the line says what it waits for, and that it waits no more."""
    kernel.free.clear()
    call = RunCall(page)
    running = begin(call)
    await call.waiting.wait()
    assert kernel.runs == []
    page.notebooks[A][0]["source"] = "x = 2"
    kernel.ends = [("done", ())]
    kernel.free.set()
    await running
    assert len(call.asked) == 2
    assert call.shown[:2] == [("waits_for", "kernel"), ("waits_for", None)]
    assert [each.source for each in kernel.runs] == ["x = 2"]


async def test_a_page_with_another_kernel_runs_nothing(page, kernel, begin):
    """N13."""
    page.kernel_id = "another"
    with pytest.raises(ToolError, match="another kernel than the server knows of"):
        await begin(RunCall(page))
    assert kernel.run.source is None


async def test_a_page_that_went_as_it_was_asked_is_told_of_and_runs_nothing_later(
    page, kernel, begin
):
    """N9, N14: the kernel refuses what the page may send yet."""
    page.fails["run"] = "lost"
    with pytest.raises(ToolError, match="was not run, and will not be"):
        await begin(RunCall(page))
    kernel.run.begins("x = 1")
    assert kernel.run.source is None
    assert (await kernel.run.ended()).outcome == "refused"


async def test_an_aborted_cell_is_sent_again_and_not_for_ever(page, kernel, begin):
    """N3: a cell of the person's failed before it."""
    kernel.ends = [("aborted", ()), ("aborted", ()), ("done", [stream("at last")])]
    assert "at last" in (await begin(RunCall(page))).text
    assert len({each.mark for each in kernel.runs}) == 3
    kernel.ends = [("aborted", ())]
    with pytest.raises(ToolError, match="did not begin with this cell"):
        await begin(RunCall(page))


async def test_a_cell_that_its_person_runs_is_theirs(page, kernel, begin):
    """N3: it is sent when they are done with it, and the call ends if they never are."""
    times = iter(["busy", "busy"])

    def runs(operation: str) -> None:
        if operation == "run":
            page.fails.pop("run", None)
            if (code := next(times, None)) is not None:
                page.fails["run"] = code

    call = RunCall(page)
    call.before_page = runs
    kernel.ends = [("done", ())]
    assert "ran to its end" in (await begin(call)).text
    assert len(kernel.runs) == 3
    page.fails["run"] = "busy"
    with pytest.raises(ToolError, match="person runs this very cell"):
        await begin(RunCall(page))


@pytest.mark.parametrize(
    ("outcome", "error", "said", "failed"),
    [
        ("error", None, "failed after 0.0 s, with an error", False),
        ("error", ("ValueError", "no"), "failed after 0.0 s, with ValueError", False),
        ("error", ("KeyboardInterrupt", ""), "KeyboardInterrupt: interrupted by the person", True),
        ("restarted", None, "kernel was restarted while this cell ran", True),
        ("died", None, "kernel died while this cell ran", True),
        ("refused", None, "before it began: it was not run", True),
    ],
)
async def test_how_a_cell_ended_is_told(page, kernel, begin, outcome, error, said, failed):
    """N5: the kernel's own button ends the cell alone, and the reply goes on."""
    running = begin(RunCall(page))
    await kernel.begun.wait()
    kernel.run.finish(outcome, stream("so far"), error=error)
    result = await running
    assert said in result.text
    assert result.failed is failed
    assert "so far" in result.text


async def test_a_cell_whose_time_is_over_is_interrupted_alone(page, kernel, begin):
    """N4, N15."""
    result = await begin(RunCall(page), time_limit_s=0.01)
    assert result.failed
    assert "interrupted at its time limit of 0.0 s" in result.text
    assert kernel.run.interrupts == 1


async def test_the_time_of_a_cell_does_not_run_behind_its_persons(page, kernel, begin):
    """N3: one that got in between is waited for, as one that was there before."""
    page.queues = True
    call = RunCall(page)
    running = begin(call, time_limit_s=0.05)
    await call.waiting.wait()
    assert call.shown == [("waits_for", None), ("waits_for", "kernel")]
    assert kernel.run.interrupts == 0
    kernel.run.begins("x = 1")
    kernel.run.finish()
    assert "ran to its end" in (await running).text
    assert call.shown[-1] == ("waits_for", None)


async def test_one_that_does_not_react_is_told_of_as_still_running(
    page, kernel, begin, monkeypatch
):
    """N4: the model hears it, and the kernel is watched until the cell ends."""
    monkeypatch.setattr(attempt, "OVER_S", 0.01)
    kernel.reacts = False
    running = begin(RunCall(page), time_limit_s=0.01)
    await kernel.begun.wait()
    kernel.run.outputs.append(stream("so far\n"))
    result = await running
    assert result.failed
    assert "is still running" in result.text
    assert "so far" in result.text
    assert kernel.used == 1
    kernel.run.finish()
    await until(lambda: kernel.used == 0)


async def test_how_far_it_has_come_is_shown(page, kernel, begin, monkeypatch):
    """N7: the last line that it printed."""
    monkeypatch.setattr(attempt, "SHOWN_EACH_S", 0.01)
    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    kernel.run.outputs.append(stream("1 %\r2 %\r\x1b[31m3 %\x1b[0m\n\n"))
    await call.waiting.wait()
    assert ("progress", "3 %") in call.shown
    kernel.run.finish()
    await running


async def test_a_tab_that_is_closed_ends_no_run(page, kernel, kept, begin):
    """N6: the result reaches the model, and is kept for the page, under the notebook's name."""
    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    call.there = None
    kernel.run.finish("done", stream("late"))
    assert "late" in (await running).text
    (run,) = kept.runs
    assert (run.message_id, run.call_id, run.path, run.cell_id) == ("message", "call", A, "one")
    assert run.digest == digest_of("x = 1")
    assert json.loads(run.outputs) == [stream("late")]
    assert run.execution_count == 3


async def test_a_notebook_that_is_renamed_gets_its_outputs(page, kernel, kernels, kept, begin):
    """N6: by the name that it has when they are there."""
    running = begin(RunCall(page))
    await kernel.begun.wait()
    page.notebooks["b.ipynb"] = page.notebooks.pop(A)
    kernels.renamed = "b.ipynb"
    kernel.run.finish()
    await running
    assert page.put == [kernel.run.mark]
    assert kept.runs == []


async def test_a_cell_that_is_deleted_while_it_runs_gets_nothing(page, kernel, kept, begin):
    """N6: nothing is kept for a cell that is gone; the model hears what it did."""
    running = begin(RunCall(page))
    await kernel.begun.wait()
    del page.notebooks[A][0]
    kernel.run.finish("done", stream("gone"))
    assert "gone" in (await running).text
    assert kept.runs == []


async def test_a_cell_that_is_edited_while_it_runs_gets_what_ran(page, kernel, kept, begin):
    """N6: in the page, as for its person's own cells."""
    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    page.notebooks[A][0]["source"] = "x = 2"
    kernel.run.finish("done", stream("of x = 1"))
    assert "of x = 1" in (await running).text
    assert page.put == [kernel.run.mark]
    assert kept.runs == []


async def test_for_a_page_that_was_loaded_anew_they_are_kept(page, kernel, kept, begin):
    """N6: it has not run the cell, and looks for what is kept when the call has ended."""
    running = begin(RunCall(page))
    await kernel.begun.wait()
    page.running.clear()
    kernel.run.finish()
    await running
    assert len(kept.runs) == 1


async def test_a_notebook_that_is_open_nowhere_runs_as_it_is_saved(root, kernel, kept, begin):
    """N6, N14: from the server, and its outputs are kept."""
    notebook = {"cells": [cell("y = 2", "one")], "metadata": {}, "nbformat": 4}
    (root / A).write_text(json.dumps(notebook | {"nbformat_minor": 5}))
    running = begin(RunCall(None))
    await kernel.begun.wait()
    assert (kernel.run.source, kernel.run.msg_id) == ("y = 2", None)
    kernel.run.finish("done", stream("2"), asked=True)
    result = await running
    assert "nobody was there to answer" in result.text
    (run,) = kept.runs
    assert json.loads(run.outputs) == [stream("2")]
    assert json.loads((root / A).read_text())["cells"][0]["outputs"] == []


async def test_a_person_ends_a_run_by_itself(page, kernel, kernels, tools, begin):
    """N4: while it goes on, its owner alone, and this run; the reply goes on."""
    running = begin(RunCall(page))
    await kernel.begun.wait()
    for owner, message, call in (("you", "message", "call"), ("me", "message", "other")):
        with pytest.raises(StopChatError, match="not_possible_now"):
            await tools.act_on_kernel(owner, message, call, "interrupt")
    assert kernel.run.interrupts == 0
    await tools.act_on_kernel("me", "message", "call", "interrupt")
    assert "interrupted by the person" in (await running).text
    kernel.reacts = False
    running = begin(RunCall(page))
    await until(lambda: len(kernel.runs) == 2 and kernel.run.source is not None)
    await tools.act_on_kernel("me", "message", "call", "interrupt")
    kernel.run.finish()
    result = await running
    assert "ran to its end in 0.0 s. The person had interrupted it." in result.text
    assert not result.failed
    running = begin(RunCall(page))
    await until(lambda: len(kernel.runs) == 3 and kernel.run.source is not None)
    await tools.act_on_kernel("me", "message", "call", "restart")
    assert "kernel was restarted" in (await running).text
    assert kernels.calls == [("restart", "kernel-1")]
    with pytest.raises(StopChatError, match="not_possible_now"):
        await tools.act_on_kernel("me", "message", "call", "restart")


async def test_only_some_documents_are_asked_about_each_time(page, kernel, begin):
    """N8, N19."""
    page.notebooks[".hidden.ipynb"] = [cell("x = 1", "one")]
    kernel.ends = [("done", ())]
    call = RunCall(page)
    await begin(call, path=".hidden.ipynb")
    assert [each.always_asked for each in call.asked] == [True]


async def test_what_others_changed_meanwhile_is_told(page, kernel, begin, by_name):
    """N18."""
    kernel.ends = [("done", ())]
    call = RunCall(page)
    await call.run(by_name["read_notebook"], path=A)
    page.notebooks[A].append(cell("new", "four"))
    assert "somebody else changed this notebook" in (await begin(call)).text


async def test_a_run_of_a_server_that_ends_is_let_go(page, kernel, tools, begin, monkeypatch):
    """N4: nothing waits for it for ever."""
    monkeypatch.setattr(attempt, "STOP_S", 0.01)
    kernel.reacts = False
    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    running.cancel()
    await asyncio.wait({running})
    await tools._tasks.close(0.01)
    await until(lambda: kernel.used == 0)
    assert all(each.done() for each in call.left)
