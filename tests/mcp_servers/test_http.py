"""Servers over HTTP that answer with too much, with nothing, or with very many words."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from jupyter_stop_chat.mcp_servers import session, transports
from jupyter_stop_chat.mcp_servers.bounded import Bounded
from tests.mcp_servers.rig import a_rig, until
from tests.mcp_servers.rude_http import Answer, head, part, result, rude, whole

SSE = "text/event-stream"


async def _told(folder: Path, monkeypatch: Any, answer: Answer) -> Any:
    """Have a call answered; return what its model is told."""
    async with rude(answer) as entry, a_rig(folder, {"web": entry}, monkeypatch) as rig:
        await rig.ready("web")
        return await rig.call("web__act")


@pytest.mark.parametrize(
    ("kind", "line"),
    [("application/json", b" " * 1023 + b"\n"), (SSE, b"data: " + b"x" * 1017 + b"\n")],
    ids=["JSON", "events"],
)
async def test_an_answer_of_many_lines_is_bounded(
    tmp_path: Path, monkeypatch: Any, kind: str, line: bytes
) -> None:
    """N5: a line's end is none of a message: no more of it is read than one may have."""

    async def answer(asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK", kind, Transfer_Encoding="chunked"))
        for _ in range(100):
            writer.write(part(line * 1024))
            await writer.drain()
        writer.write(part(b"\n\n") + part(b""))

    before = psutil.Process().memory_info().rss
    told = await _told(tmp_path, monkeypatch, answer)
    assert told.failed
    assert "too large to be read" in told.text
    assert psutil.Process().memory_info().rss - before < 64 * 1024 * 1024


@pytest.mark.parametrize("kind", ["application/json", SSE])
async def test_an_answer_of_very_many_parts_is_not_read(
    tmp_path: Path, monkeypatch: Any, kind: str
) -> None:
    """N5: the SDK makes each on the loop, for seconds; signs in a text are none."""

    async def answer(asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        held = {"content": [], "structuredContent": {"a": "PARTS"}}
        message = result(asked["id"], held).replace(b'"PARTS"', b"[" + b"[]," * 10**6 + b"0]")
        message = b"data: " + message + b"\n\n" if kind == SSE else message
        writer.write(whole("200 OK", message, kind))

    told = await _told(tmp_path, monkeypatch, answer)
    assert "too large to be read" in told.text

    async def says(asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        text = {"type": "text", "text": '[{"\\' * 10**5 + "\\"}
        message = result(asked["id"], {"content": [text]})
        message = b"data: " + message + b"\n\n" if kind == SSE else message
        writer.write(whole("200 OK", message, kind))

    assert (await _told(tmp_path, monkeypatch, says)).text.startswith('[{"\\[{"')


@pytest.mark.parametrize(
    "said",
    [
        whole("202 Accepted"),
        whole("200 OK", b"hello", "text/plain"),
        whole("200 OK", b"{no json"),
        whole("200 OK", b": nothing\n\n", SSE),
        head("200 OK", SSE, Transfer_Encoding="chunked") + part(b""),
    ],
    ids=["accepted", "text", "no JSON", "no event", "nothing"],
)
async def test_an_answer_that_is_none_is_waited_for_no_more(
    tmp_path: Path, monkeypatch: Any, said: bytes
) -> None:
    """N5, N7: the SDK waits for it for ever; other calls of the session go on."""
    monkeypatch.setattr(session, "LATE_S", 0.05)
    holding = asyncio.Event()
    calls: list[int] = []

    async def answer(asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        calls.append(asked["id"])
        if len(calls) > 1:
            writer.write(said)
            return
        await holding.wait()
        content = [{"type": "text", "text": "late"}]
        writer.write(whole("200 OK", result(asked["id"], {"content": content})))

    async with rude(answer) as entry, a_rig(tmp_path, {"web": entry}, monkeypatch) as rig:
        await rig.ready("web")
        first = await rig.begin("web__act")
        await until(lambda: calls)
        told = await rig.call("web__act")
        assert told.failed
        assert "ended its answer without one" in told.text
        holding.set()
        await rig.bench.end(first)
        assert rig.handler.told.pop().text == "late"


async def test_very_many_words_of_how_far_it_is_are_shown_now_and_then(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N7: the newest of them, and a Stop is answered all the same."""
    ended = asyncio.Event()

    async def answer(asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK", SSE, Transfer_Encoding="chunked"))
        token = asked["params"]["_meta"]["progressToken"]
        for n in range(5000):
            params = {"progressToken": token, "progress": n, "message": "m"}
            said = {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}
            writer.write(part(b"data: " + json.dumps(said).encode() + b"\n\n"))
            await writer.drain()
        await ended.wait()
        writer.write(part(b"data: " + result(asked["id"], {"content": []}) + b"\n\n") + part(b""))

    async with rude(answer) as entry, a_rig(tmp_path, {"web": entry}, monkeypatch) as rig:
        await rig.ready("web")
        accepted = await rig.begin("web__act")

        def shown() -> list[Any]:
            return [each.progress for each in rig.bench.heard.tools() if each.progress]

        await until(lambda: "m (4999)" in shown())
        assert len(shown()) < 200
        ended.set()
        await rig.bench.end(accepted)


async def test_a_cancel_that_nobody_takes_holds_up_nobody_for_long(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N9, N12: the SDK says nothing else meanwhile; so the session ends, and another begins."""
    monkeypatch.setattr(transports, "CONNECT_S", 1.0)
    calls: list[int] = []

    async def answer(asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        calls.append(asked["id"])
        if len(calls) > 1:
            writer.write(whole("200 OK", result(asked["id"], {"content": []})))

    async with (
        rude(answer, hears=False) as entry,
        a_rig(tmp_path, {"web": entry}, monkeypatch) as rig,
    ):
        await rig.ready("web")
        accepted = await rig.begin("web__act")
        await until(lambda: calls)
        (stopped,) = await rig.bench.stop(message_id=accepted.message.id)
        assert stopped.receipt is not None
        assert stopped.receipt.server is not None
        assert stopped.receipt.server.answer == "unacknowledged"
        told = await rig.call("web__act")
        assert "it was not asked" in told.text
        assert len(calls) == 1
        assert not (await rig.call("web__act")).failed


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11, 10_000])
def test_each_message_counts_once_however_it_is_cut(size: int) -> None:
    """N5: that a part ends where a message does slows nobody down."""
    request = httpx.Request("POST", "http://127.0.0.1/")
    answer = httpx.Response(200, headers={"content-type": SSE}, request=request, content=b"")
    read = Bounded(answer, lambda error: None)
    sent = b"data: {}\n\n" * 20
    parts = [sent[at : at + size] for at in range(0, len(sent), size)]
    assert sum(map(read._look_at, parts)) == 20
