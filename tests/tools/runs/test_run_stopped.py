"""Stop while a cell is run, in each phase: it is ended, or told of until it ends."""

from __future__ import annotations

import asyncio
import json

import pytest

from jupyter_stop_chat.tools.runs import attempt
from tests.aids.turns import until
from tests.tools.notebooks import cell, stream
from tests.tools.runs.bench import RunCall

A = "a.ipynb"


async def stopped(call: RunCall, running: asyncio.Task[object]) -> None:
    """Stop the reply as the engine does: fence it, and cancel its task once."""
    call.stopped = True
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()


async def test_while_it_waits_for_the_kernel(page, kernel, begin):
    """N3: nothing is sent, nothing is interrupted, and nothing begins later."""
    kernel.free.clear()
    call = RunCall(page)
    running = begin(call)
    await kernel.asked_idle.wait()
    await stopped(call, running)
    kernel.free.set()
    await until(lambda: kernel.used == 0)
    assert kernel.runs == []
    assert (call.said, call.left) == ([], [])


async def test_while_the_page_that_sends_it_is_silent(page, kernel, begin):
    """N2, N9: what the page sends later is refused in the kernel, unrun."""
    page.silent = True
    call = RunCall(page)
    running = begin(call)
    await page.ran.wait()
    await stopped(call, running)
    ((said, _),) = call.said
    assert said.answer == "refused"
    assert call.left == []
    kernel.run.begins("x = 1")
    assert kernel.run.source is None


async def test_while_a_page_has_sent_it_and_not_said_so(page, kernel, begin, monkeypatch):
    """N2, N4: by its mark it is ended; that it has ended is known by the kernel being free."""
    monkeypatch.setattr(attempt, "STOP_S", 0.02)
    page.silent = True
    kernel.reacts = False
    call = RunCall(page)
    running = begin(call)
    await page.ran.wait()
    kernel.run.begins("x = 1")
    kernel.free.clear()
    await stopped(call, running)
    ((said, idle_ms),) = call.said
    assert (said.answer, idle_ms) == ("pending", None)
    (left,) = call.left
    assert not left.done()
    kernel.free.set()
    await asyncio.wait({left})
    await until(lambda: kernel.used == 0)


async def test_while_it_runs(page, kernel, kept, begin):
    """N2, N12: it alone is ended, and the receipt hears when the kernel was done with it."""
    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    await stopped(call, running)
    ((said, idle_ms),) = call.said
    assert (said.answer, said.exact) == ("raised", True)
    assert idle_ms is not None
    assert idle_ms < 1000
    assert kernel.run.interrupts == 1
    assert call.left == []
    assert kept.runs == [], "the page that sent it has the outputs"
    await until(lambda: kernel.used == 0)


async def test_in_a_kernel_that_knows_no_marks(page, kernel, begin):
    """N13: it is said that another cell may have been hit."""
    kernel.exact = False
    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    await stopped(call, running)
    assert [(said.answer, said.exact) for said, _ in call.said] == [("plain", False)]
    page.silent = True
    call = RunCall(page)
    running = begin(call)
    await page.ran.wait()
    await stopped(call, running)
    assert [said.answer for said, _ in call.said] == ["not_sent"]
    assert call.left == [], "the page has been called back"


async def test_a_kernel_whose_interrupt_fails_is_told_as_silent(page, kernel, begin, monkeypatch):
    """N4: whatever goes wrong there, the reply is settled."""
    monkeypatch.setattr(attempt, "STOP_S", 0.01)

    async def fail() -> None:
        raise RuntimeError("no")

    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    kernel.run.interrupt = fail
    await stopped(call, running)
    assert [said.answer for said, _ in call.said] == ["no_answer"]
    kernel.run.finish()
    await asyncio.wait(call.left)


async def test_while_it_runs_from_here(root, kernel, kept, begin):
    """N6: what it had shown is kept."""
    notebook = {"cells": [cell("y = 2", "one")], "metadata": {}, "nbformat": 4}
    (root / A).write_text(json.dumps(notebook | {"nbformat_minor": 5}))
    call = RunCall(None)
    running = begin(call)
    await kernel.begun.wait()
    kernel.run.outputs.append(stream("so far"))
    await stopped(call, running)
    await kept.keeps.wait()
    assert json.loads(kept.runs[0].outputs) == [stream("so far")]


@pytest.mark.parametrize("ended", [False, True])
async def test_of_a_run_whose_page_is_closed_what_it_showed_is_kept(
    page, kernel, kept, begin, ended
):
    """N6: while it runs, and as its outputs are to be put in."""
    call = RunCall(page)
    at_end = asyncio.Event()
    call.before_page = lambda operation: operation == "run_end" and at_end.set()
    running = begin(call)
    await kernel.begun.wait()
    kernel.run.outputs.append(stream("so far"))
    call.there = None
    if ended:
        kernel.run.finish()
        await at_end.wait()
    await stopped(call, running)
    await asyncio.wait_for(kept.keeps.wait(), 5)
    assert json.loads(kept.runs[0].outputs) == [stream("so far")]


async def test_where_a_kernel_knows_no_marks_what_a_page_may_have_sent_is_waited_for(
    page, kernel, begin, monkeypatch
):
    """N4, N13: its page has not said so yet; nothing is said to have ended that may run."""
    monkeypatch.setattr(attempt, "STOP_S", 0.02)
    kernel.exact, page.silent = False, True
    call = RunCall(page)
    running = begin(call)
    await page.ran.wait()
    kernel.free.clear()
    await stopped(call, running)
    assert [said.answer for said, _ in call.said] == ["not_sent"]
    (left,) = call.left
    assert not left.done()
    kernel.free.set()
    await asyncio.wait({left})


async def test_as_it_ends(page, kernel, begin):
    """N2: what has ended is not interrupted, whatever the kernel is asked in the same moment."""
    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    kernel.run.finish()
    await stopped(call, running)
    assert [said.answer for said, _ in call.said] == ["ended"]
    assert call.left == []
    await until(lambda: kernel.used == 0)


async def test_as_its_outputs_are_put_in(page, kernel, begin):
    """N2, N6."""
    call = RunCall(page)
    at_end = asyncio.Event()

    def look(operation: str) -> None:
        if operation == "run_end":
            at_end.set()

    call.before_page = look
    running = begin(call)
    await kernel.begun.wait()
    kernel.run.finish()
    await at_end.wait()
    await stopped(call, running)
    assert (call.said, call.left) == ([], [])


@pytest.mark.parametrize("mute", [False, True])
async def test_one_that_does_not_react_is_told_of_until_it_ends(
    page, kernel, tools, begin, monkeypatch, mute
):
    """N4: in time; again and again it can be interrupted, or its kernel started anew."""
    monkeypatch.setattr(attempt, "STOP_S", 0.02)
    monkeypatch.setattr(attempt, "ANSWER_S", 0.01)
    kernel.reacts, kernel.mute = False, mute
    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    await stopped(call, running)
    ((said, idle_ms),) = call.said
    assert said.answer == ("no_answer" if mute else "pending")
    assert idle_ms is None
    (left,) = call.left
    assert not left.done()
    assert kernel.used == 1
    kernel.reacts, kernel.mute = True, False
    await tools.act_on_kernel("me", "message", "call", "interrupt")
    await asyncio.wait({left})
    assert kernel.run.interrupts == 2
    await until(lambda: kernel.used == 0)


@pytest.mark.parametrize("outcome", ["restarted", "died", "done"])
async def test_what_is_left_ends_with_its_kernel_too(page, kernel, begin, monkeypatch, outcome):
    """N4."""
    monkeypatch.setattr(attempt, "STOP_S", 0.01)
    kernel.reacts = False
    call = RunCall(page)
    running = begin(call)
    await kernel.begun.wait()
    await stopped(call, running)
    kernel.run.finish(outcome)
    await asyncio.wait(call.left)


@pytest.mark.parametrize("from_here", [False, True])
async def test_in_any_turn_of_the_loop(root, page, kernel, begin, from_here):
    """N2, N9: what has not begun never does, and what has is ended."""
    notebook = {"cells": [cell("x = 1", "one")], "metadata": {}, "nbformat": 4}
    (root / A).write_text(json.dumps(notebook | {"nbformat_minor": 5}))
    began = 0
    for turns in range(80):
        call = RunCall(None if from_here else page)
        running = begin(call)
        if from_here:  # it reads files in threads, which takes any number of turns
            await (kernel.asked_idle, kernel.expected)[turns % 2].wait()
        for _ in range(turns // 2 if from_here else turns):
            await asyncio.sleep(0)
        before = [each.source for each in kernel.runs]
        await stopped(call, running)
        await until(lambda: kernel.used == 0)
        assert [each.source for each in kernel.runs] == before
        assert all(each.end.done() for each in kernel.runs if each.source is not None)
        assert call.left == []
        began += bool(before and before[-1])
        kernel.runs.clear()
        kernel.asked_idle.clear()
        kernel.expected.clear()
    assert 0 < began < 80, "both were tried"


async def test_while_its_kernel_is_being_reached(page, kernels, kernel, begin):
    """N9."""
    kernels.reachable.clear()
    call = RunCall(page)
    running = begin(call)
    await kernels.reaching.wait()
    await stopped(call, running)
    kernels.reachable.set()
    assert (kernel.used, kernel.runs) == (0, [])
