"""Servers that nobody would write who means well: what they do costs nobody else anything."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.mcp_servers import bounded, transports
from tests.aids.ports import listening
from tests.engine.bench import OWNER
from tests.mcp_servers.rig import Rig, a_rig, awkward, heard_of, left_behind, until
from tests.mcp_servers.rude_http import head, part, result, rude, whole

SSE = "text/event-stream"
TEXT = {"content": [{"type": "text", "text": "done"}]}


async def _answers(asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(whole("200 OK", result(asked["id"], TEXT)))


async def test_a_list_of_ten_megabytes_is_cut_and_told(tmp_path: Path, monkeypatch: Any) -> None:
    """N5, N15: by a process it is read as far as it goes; over HTTP the server is not there."""
    huge = {"tools": [{"name": "act", "inputSchema": {}, "description": "d" * 10_000_000}]}
    async with rude(_answers, tools=huge) as web:
        named = {"io": awkward("huge"), "web": web}
        async with a_rig(tmp_path, named, monkeypatch) as rig:
            await rig.ready("io")
            assert [each.name for each in rig.servers.tools(OWNER)] == ["io__act"]
            found: list[Any] = []
            while not found or found[1].state == "starting":
                found, _ = await rig.servers.listing(OWNER)
                await asyncio.sleep(0.02)
            assert (found[0].unread, found[1].state) == (1, "failed")
            assert found[1].failure == "It sent an answer that is too large to be read."


async def test_a_server_that_closes_its_output_has_ended(tmp_path: Path, monkeypatch: Any) -> None:
    """N7, L12: it lives on and says nothing: it is ended, and who called it is told."""
    async with a_rig(tmp_path, {"io": awkward("closes")}, monkeypatch) as rig:
        await rig.ready("io")
        told = await rig.call("io__act", n=1)
        assert told.failed
        assert "ended while it worked" in told.text
        await until(lambda: left_behind() == [])


async def test_what_is_said_of_others_calls_reaches_none_of_them(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N5, J6: progress for each token there may be, and cancels: another server's goes on."""
    named = {"others": awkward("others"), "deaf": awkward("deaf")}
    async with a_rig(tmp_path, named, monkeypatch) as rig:
        await rig.ready(*named)
        going_on = await rig.begin("deaf__act")
        await until(lambda: "called" in rig.seen())
        assert (await rig.call("others__act", n=1)).text == "lied"
        shown = [each for each in rig.bench.heard.tools() if each.progress]
        assert {each.name for each in shown} <= {"others__act"}
        generation = rig.bench.engine.generation(going_on.message.id)
        assert generation is not None
        assert [each.state for each in generation.tools.values()] == ["running"]
        (stopped,) = await rig.bench.stop(message_id=going_on.message.id)
        assert stopped.outcome == "interrupted"
        await rig.bench.end(going_on)


async def test_a_tool_that_is_another_by_the_time_of_its_call_is_not_called(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N8: what was started anew tells something else of it: nobody has allowed that."""
    async with a_rig(tmp_path, {"turns": awkward("turns")}, monkeypatch) as rig:
        await rig.ready("turns")
        assert (await rig.call("turns__act", n=1)).text == "lied"
        tool = rig.servers.tools(OWNER)[0]
        rig.servers.end_idle()
        before = rig.seen()
        one = rig.servers._owners[OWNER].servers["turns"]
        rig.servers._drop(one)
        told = await rig.call("turns__act", n=1)
        assert told.text == "This tool is not what it was: its server tells something else of it."
        assert rig.seen() == before
        assert rig.servers.tools(OWNER)[0].rule != tool.rule


@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect", "401 No", "500 Oh"])
async def test_an_answer_that_is_a_refusal_ends_the_call(
    tmp_path: Path, monkeypatch: Any, status: str
) -> None:
    """N7, L5: another host is asked nothing, and no key goes there; the next call is answered."""
    asked_elsewhere: list[bytes] = []
    calls: list[int] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked_elsewhere.append(await reader.read(100))
        writer.close()

    async def answer(asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        calls.append(asked["id"])
        if len(calls) == 1:
            writer.write(head(status, Location=f"http://127.0.0.1:{port}/mcp", Content_Length="0"))
        else:
            await _answers(asked, writer)

    async with listening(note) as port, rude(answer) as entry:
        entry["headers"] = {"Authorization": "Bearer a-key-of-somebody"}
        async with a_rig(tmp_path, {"web": entry}, monkeypatch) as rig:
            await rig.ready("web")
            async with asyncio.timeout(10):
                told = await rig.call("web__act")
            assert told.failed
            assert (await rig.call("web__act")).text == "done"
    assert asked_elsewhere == []


async def test_a_stream_that_ends_at_once_is_not_asked_for_without_end(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N5: whatever its server says of the pause between."""
    asked: list[float] = []

    async def stream(writer: asyncio.StreamWriter) -> None:
        asked.append(time.monotonic())
        writer.write(head("200 OK", SSE, Connection="close") + b"retry: 0\nid: 1\ndata:\n\n")

    async with (
        rude(_answers, stream=stream, session="one") as entry,
        a_rig(tmp_path, {"web": entry}, monkeypatch) as rig,
    ):
        await rig.ready("web")
        await until(lambda: len(asked) >= 2)
        for _ in range(20):
            assert (await rig.call("web__act")).text == "done"
            await asyncio.sleep(0.05)
        assert len(asked) <= 2 + (asked[-1] - asked[0]) * 2


async def test_an_answer_that_goes_on_elsewhere_without_end_is_stopped(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N5, N9: its stream ends with an id again and again: it is not asked for without end."""
    asked: list[float] = []
    ends = b"retry: 0\nid: 1\ndata:\n\n"

    async def answer(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK", SSE, Transfer_Encoding="chunked") + part(ends) + part(b""))

    async def stream(writer: asyncio.StreamWriter) -> None:
        asked.append(time.monotonic())
        writer.write(head("200 OK", SSE, Connection="close") + ends)

    async with (
        rude(answer, stream=stream) as entry,
        a_rig(tmp_path, {"web": entry}, monkeypatch) as rig,
    ):
        await rig.ready("web")
        accepted = await rig.begin("web__act")
        await until(lambda: len(asked) >= 2)
        await asyncio.sleep(1)
        (stopped,) = await rig.bench.stop(message_id=accepted.message.id)
        assert stopped.outcome == "interrupted"
        await rig.bench.end(accepted)
        assert len(asked) <= 2 + (asked[-1] - asked[0]) * 2


async def test_the_rest_of_an_answer_is_asked_for_so_often_and_no_more(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N5, N7: where it never comes, the call ends by itself, and so does the asking."""
    monkeypatch.setattr(transports, "MOST_TURNS", 3)
    monkeypatch.setattr(transports, "STREAM_S", 0.01)
    asked: list[int] = []
    ends = b"retry: 0\nid: 1\ndata:\n\n"

    async def answer(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK", SSE, Transfer_Encoding="chunked") + part(ends) + part(b""))

    async def stream(writer: asyncio.StreamWriter) -> None:
        asked.append(1)
        writer.write(head("200 OK", SSE, Connection="close") + ends)

    async with (
        rude(answer, stream=stream) as entry,
        a_rig(tmp_path, {"web": entry}, monkeypatch) as rig,
    ):
        await rig.ready("web")
        async with asyncio.timeout(8):
            told = await rig.call("web__act")
        assert told.failed
        assert "ended its answer without one" in told.text
        assert len(asked) == 3


async def test_an_answer_that_is_nowhere_is_waited_for_no_more(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N7: its stream ends with an id, and nobody has the rest of it."""
    ends = b"retry: 0\nid: 1\ndata:\n\n"

    async def answer(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK", SSE, Transfer_Encoding="chunked") + part(ends) + part(b""))

    async with rude(answer) as entry, a_rig(tmp_path, {"web": entry}, monkeypatch) as rig:
        await rig.ready("web")
        async with asyncio.timeout(20):
            told = await rig.call("web__act")
        assert told.failed
        assert "ended its answer without one" in told.text


async def test_words_without_end_over_http_leave_the_loop_to_others(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N5, N9: as fast as a server can; a Stop is answered all the same."""
    monkeypatch.setattr(bounded, "MOST_IN_A_SECOND", 50)

    async def answer(asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK", SSE, Transfer_Encoding="chunked"))
        params = {"level": "info", "data": "x" * 100}
        said = {"jsonrpc": "2.0", "method": "notifications/message", "params": params}
        some = part((b"data: " + json.dumps(said).encode() + b"\n\n") * 100)
        while True:
            writer.write(some)
            await writer.drain()

    async with rude(answer) as entry, a_rig(tmp_path, {"web": entry}, monkeypatch) as rig:
        await rig.ready("web")
        accepted = await rig.begin("web__act")
        await until(lambda: _state(rig, accepted) == "running")
        began = time.monotonic()
        heard = await heard_of(rig, "web")
        # What one reading of its socket brought comes as well.
        assert 0 < heard < 50 * (time.monotonic() - began) + 600
        (stopped,) = await rig.bench.stop(message_id=accepted.message.id)
        assert stopped.receipt is not None
        assert stopped.receipt.server is not None
        assert stopped.receipt.settled_ms is not None
        assert stopped.receipt.settled_ms <= 600
        await rig.bench.end(accepted)


def _state(rig: Rig, accepted: Any) -> str:
    generation = rig.bench.engine.generation(accepted.message.id)
    assert generation is not None
    return next((each.state for each in generation.tools.values()), "")


@pytest.mark.parametrize("session", ["a" * 20_000, "one two", "\u00e9"])
async def test_an_odd_name_of_a_session_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: Any, session: str
) -> None:
    """N7: it is used, or said to be of no use; a call ends either way."""
    async with (
        rude(_answers, session=session) as entry,
        a_rig(tmp_path, {"web": entry}, monkeypatch) as rig,
    ):
        await rig.servers.prepare(OWNER)
        (server,), _ = await rig.servers.listing(OWNER)
        assert server.state in {"ready", "failed"}
        if server.state == "ready":
            assert (await rig.call("web__act")).text == "done"
