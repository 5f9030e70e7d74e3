"""A connection to a kernel holds, whatever that says and whoever else uses it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jupyter_stop_chat.kernels import LiveKernels
from jupyter_stop_chat.kernels import run as run_module
from jupyter_stop_chat.kernels.connection import Connection
from jupyter_stop_chat.kernels.outputs import MOST
from jupyter_stop_chat.ports.kernels import RunEnd
from tests.aids.turns import until
from tests.kernels.scripted import Client, ScriptedHost

PATIENCE = 2.0
DEEP = b"[" * 100_000 + b"]" * 100_000
HEADER = {"msg_type": "stream", "session": "kernel"}
PARENT = {"msg_id": "sent", "msg_type": "execute_request", "session": "person"}


@asynccontextmanager
async def scripted() -> AsyncIterator[tuple[LiveKernels, ScriptedHost]]:
    """Return kernels that say what they are told to."""
    host = ScriptedHost()
    kernels = LiveKernels(host)
    try:
        yield kernels, host
    finally:
        await kernels.close()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Connection, Client]]:
    """Use one."""
    async with scripted() as (kernels, host), kernels.use("one") as kernel:
        yield kernel, host.clients["one"]


async def ended(run: Any) -> RunEnd:
    end: RunEnd = await asyncio.wait_for(run.ended(), PATIENCE)
    return end


@pytest.mark.parametrize(
    "parts",
    [
        (HEADER, PARENT),
        (b"not JSON", PARENT, {}, {}),
        (DEEP, PARENT, {}, {}),
        (HEADER, DEEP, {}, {}),
        (HEADER, PARENT, {}, DEEP),
        ([], [], [], []),
        (HEADER, PARENT, {}, {"name": 1, "text": [2]}),
        ({**HEADER, "msg_type": ["stream"]}, PARENT, {}, {}),
        ({**HEADER, "msg_type": "status"}, PARENT, {}, {"execution_state": []}),
        ({**HEADER, "msg_type": "display_data"}, PARENT, {}, {"data": [1], "metadata": "x"}),
        ({**HEADER, "msg_type": "update_display_data"}, PARENT, {}, {"data": 7}),
        ({**HEADER, "msg_type": "execute_result"}, PARENT, {}, {"data": {"a": 1}, "metadata": 3}),
        ({**HEADER, "msg_type": "error"}, PARENT, {}, {"traceback": 3, "ename": [], "evalue": {}}),
        ({**HEADER, "msg_type": "clear_output"}, PARENT, {}, 3),
        ({**HEADER, "msg_type": "execute_input"}, PARENT, {}, {"execution_count": 10**40}),
    ],
    ids=range(15),
)
async def test_what_nobody_can_read_holds_up_nothing_behind_it(parts: tuple[Any, ...]) -> None:
    """N13: the run's end is heard all the same, and what is kept of it fits a notebook."""
    async with connected() as (kernel, client):
        run = kernel.expect("mark")
        run.sent("sent")
        client.tells("status", "sent", {"execution_state": "busy"})
        for channel in ("iopub", "shell", "control"):
            client.says(*parts, channel=channel)
        client.tells("stream", "sent", {"name": "stdout", "text": "behind"})
        client.tells("status", "sent", {"execution_state": "idle"})
        end = await ended(run)
        assert end.outcome in {"done", "error"}
        assert end.outputs[-1]["text"].endswith("behind")
        assert end.execution_count is None
        for each in end.outputs:
            assert all(isinstance(each.get(name, {}), dict) for name in ("data", "metadata"))
            assert isinstance(each.get("traceback", []), list)
        json.dumps(end.outputs)
        sent = client.shell_channel.socket.sent
        before = len(sent)
        asked = asyncio.ensure_future(kernel.ask("shell", "kernel_info_request", {}))
        await until(lambda: len(sent) > before)
        about = {"msg_id": sent[-1]["header"]["msg_id"]}
        client.says({"msg_type": "kernel_info_reply"}, about, {}, {"ok": 1}, channel="shell")
        assert await (await asyncio.wait_for(asked, PATIENCE)).content() == {"ok": 1}


async def test_a_kernel_that_answers_in_its_askers_name_was_not_started_anew() -> None:
    """N13: as those of R and Julia do; a page asks something while the run waits, and runs."""
    async with connected() as (kernel, client):
        client.runs("before", session="person")
        run = kernel.expect("mark")
        run.sent("sent")
        own = client.session.session
        client.runs("theirs", session="page", of="page")
        client.runs("ours", session=own, of=own)
        client.tells("status", "sent", {"execution_state": "busy"}, session="person")
        client.tells("execute_input", "sent", {"execution_count": 2}, session="person")
        client.runs("look", session="page", of="page")
        client.tells("stream", "sent", {"name": "stdout", "text": "4"}, session="person")
        client.tells("status", "sent", {"execution_state": "idle"}, session="person")
        end = await ended(run)
        assert (end.outcome, len(end.outputs)) == ("done", 1)


async def test_a_kernel_is_kept_for_who_is_about_to_use_it() -> None:
    """N2: as another agent lets go of it in the same moment."""
    async with scripted() as (kernels, host):
        async with kernels.use("one"):
            host.looks.clear()
            host.alive_gate = asyncio.Event()
            entered = kernels.use("one")
            entering = asyncio.ensure_future(entered.__aenter__())
            await host.looks.wait()
        await asyncio.sleep(0)
        host.alive_gate.set()
        await entering
        await asyncio.sleep(0.01)
        client = host.clients["one"]
        assert not client.closed
        await entered.__aexit__(None, None, None)
        await until(lambda: client.closed)


async def test_who_is_stopped_on_the_way_to_a_kernel_holds_none() -> None:
    """N9."""
    async with scripted() as (kernels, host):
        host.alive_gate = asyncio.Event()
        entering = asyncio.ensure_future(kernels.use("one").__aenter__())
        await host.looks.wait()
        entering.cancel()
        await asyncio.wait({entering})
        await until(lambda: host.clients["one"].closed)


async def test_a_kernel_that_is_slow_to_start_holds_up_no_other() -> None:
    """N2."""
    async with scripted() as (kernels, host):
        host.gates["slow"] = asyncio.Event()
        slow = asyncio.ensure_future(kernels.use("slow").__aenter__())
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(PATIENCE), kernels.use("other"):
                pass
        finally:
            slow.cancel()
            await asyncio.wait({slow})


async def test_a_run_that_is_never_sent_is_watched_no_more() -> None:
    """N9: what is told of others' cells is not kept for it."""
    async with connected() as (kernel, client):
        run = kernel.expect("mark")
        run.drop()
        client.runs("theirs")
        sent = kernel.expect("other")
        sent.sent("sent")
        client.runs("sent")
        assert (await ended(sent)).outcome == "done"
        assert kernel.iopub.watched == 0
        run.sent("late")
        assert kernel.unused is False
        assert kernel.iopub.watched == 0


async def test_a_run_is_known_however_much_else_runs_before_its_page_says_which_it_was() -> None:
    """N8: else it would be taken for one that did not begin, and run once more."""
    async with connected() as (kernel, client):
        run = kernel.expect("mark")
        client.runs("sent")
        for number in range(500):
            client.tells("stream", f"thread {number}", {"name": "stdout", "text": "x"})
            client.runs(f"theirs {number}")
        await until(client.iopub_channel.socket.frames.empty)
        run.sent("sent")
        assert (await ended(run)).outcome == "done"


@pytest.mark.parametrize("letter", ["y", "ä\n", "\U0001f600", "\\", '"'])
@pytest.mark.parametrize("is_ascii", [True, False])
async def test_of_an_enormous_text_no_more_is_read_than_is_kept(
    letter: str, is_ascii: bool
) -> None:
    """N5: to read all of it would hold up everybody, in a thread as well."""
    written = json.dumps(letter, ensure_ascii=is_ascii)[1:-1].encode()
    text = b'{"name": "stdout", "text": "' + written * (2 * MOST // len(written)) + b'"}'
    async with connected() as (kernel, client):
        unpack, read = client.session.unpack, []

        def noted(raw: bytes) -> Any:
            read.append(len(raw))
            return unpack(raw)

        client.session.unpack = noted
        run = kernel.expect("mark")
        run.sent("sent")
        client.tells("status", "sent", {"execution_state": "busy"})
        client.says(HEADER, PARENT, {}, text)
        client.tells("status", "sent", {"execution_state": "idle"})
        end = await ended(run)
        assert max(read) <= MOST
        (output,) = end.outputs
        assert set(output["text"][:100] + output["text"][-100:]) == set(letter)
        assert end.left_out > MOST // 2


async def test_what_is_on_its_way_of_a_run_is_heard_before_an_answer_ends_it() -> None:
    """N4: a kernel that tells much is behind its answers; the last it told may be the error."""
    async with connected() as (kernel, client):
        run = kernel.expect("mark")
        run.sent("sent")
        client.tells("status", "sent", {"execution_state": "busy"})
        sent = client.shell_channel.socket.sent
        await until(lambda: sent)
        asked = sent[-1]["header"]["msg_id"]
        client.says({"msg_type": "reply"}, {"msg_id": asked}, {}, {}, channel="shell")
        await asyncio.sleep(2 * run_module.QUIET_S)
        assert not run.over
        client.tells("error", "sent", {"ename": "KeyboardInterrupt"})
        client.tells("status", asked, {"execution_state": "idle"})
        assert (await ended(run)).outcome == "error"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TypeError", "%d format: a real number is required, not NoneType"),
        ("CalledProcessError", "Command 'b'sleep'' died with <Signals.SIGINT: 2>."),
    ],
)
async def test_what_bash_says_of_an_interrupt_is_told_as_one(name: str, value: str) -> None:
    """N5: only where the run was stopped."""
    async with connected() as (kernel, client):
        for stopped in (False, True):
            run = kernel.expect("mark")
            run.stopped = stopped
            run.sent(f"sent {stopped}")
            client.tells("error", f"sent {stopped}", {"ename": name, "evalue": value})
            client.tells("status", f"sent {stopped}", {"execution_state": "idle"})
            told = ("KeyboardInterrupt", "") if stopped else (name, value)
            assert (await ended(run)).error == told


@pytest.mark.parametrize(("answer", "outcome"), [("ended", "done"), ("refused", "aborted")])
async def test_a_run_of_which_nothing_is_heard_is_not_taken_for_one_that_did_not_begin(
    monkeypatch: pytest.MonkeyPatch, answer: str, outcome: str
) -> None:
    """N8: what a kernel tells may be lost where it tells too much; a cell is not run twice."""
    monkeypatch.setattr(run_module, "UNHEARD_S", 0.01)
    monkeypatch.setattr(run_module, "BEHIND_S", 0.01)
    monkeypatch.setattr(run_module, "QUIET_S", 0.01)
    async with connected() as (kernel, client):
        kernel._probe.fit = True
        run = kernel.expect("mark")
        run.sent("sent")
        for channel in ("shell", "control"):
            sent = getattr(client, f"{channel}_channel").socket.sent
            await until(lambda sent=sent: sent)
            about = {"msg_id": sent[-1]["header"]["msg_id"]}
            client.says({"msg_type": "reply"}, about, {}, {"answer": answer}, channel=channel)
        assert (await ended(run)).outcome == outcome
