"""A real server with sixty-four models that block a thread each and never come back."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import textwrap
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.browser.lab import Lab

STUCK = 64

#: A package of somebody else's, with an entry point.
PLUGIN = '''
import asyncio
import time

from jupyter_stop_chat.ports.handler import Text
from jupyter_stop_chat.testing import Endless, Gate, GenerateOnlyModel, ScriptedModel
from jupyter_stop_chat.testing import SyncScriptedModel


class Thread:
    """Tell how long the executor that Jupyter Server shares takes for nothing."""

    async def reply(self, turn):
        began = time.perf_counter()
        await asyncio.to_thread(int)
        yield Text(str((time.perf_counter() - began) * 1000))

    async def close(self):
        pass


def make(name):
    if name == "stream":
        return SyncScriptedModel(script=["begun ", Gate()])
    if name == "generate":
        return GenerateOnlyModel(script=[Gate()])
    if name == "thread":
        return Thread()
    return ScriptedModel(script=["hello ", Gate()])
'''


class Page:
    """A client of the server."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket

    async def send(self, **frame: Any) -> None:
        """Send a frame."""
        await self._socket.write_message(json.dumps(frame))

    async def until(self, type_: str, **where: Any) -> dict[str, Any]:
        """Read on until such a frame comes."""
        while True:
            raw = await asyncio.wait_for(self._socket.read_message(), 30)
            assert raw is not None, self._socket.close_code
            frame: dict[str, Any] = json.loads(raw)
            assert frame["type"] != "error" or type_ == "error", frame
            if frame["type"] == type_ and all(frame.get(k) == v for k, v in where.items()):
                return frame

    async def ask(self, model: str) -> str:
        """Send a prompt in a new chat, and return the reply's id."""
        request_id = str(uuid.uuid4())
        await self.send(
            type="send", request_id=request_id, chat_id=None, body="Hi", model=f"stuck:{model}"
        )
        accepted = await self.until("accepted", request_id=request_id)
        return str(accepted["message"]["id"])

    async def end(self, message_id: str) -> dict[str, Any]:
        """Return the terminal message."""
        while True:
            message: dict[str, Any] = (await self.until("message"))["message"]
            if message["id"] == message_id and message["state"] in (
                *("completed", "interrupted", "failed"),
            ):
                return message


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Start a Jupyter Server that knows the plugin."""
    site = tmp_path / "site"
    info = site / "stuck-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "stuck_plugin.py").write_text(textwrap.dedent(PLUGIN))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stuck\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[jupyter_stop_chat.chat_handlers]\nstuck = stuck_plugin:make\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    limits = {"max_generations_per_owner": 200, "max_stuck": STUCK, "titles": "prompt"}
    made = Lab(tmp_path, {"StopChatApp": limits}, "jupyter_server")
    made.start()
    yield made
    made.stop()


@pytest.mark.timeout(180)
async def test_stuck_models_hold_nobody_else_up(lab: Lab) -> None:
    """B1, B2, J3, rule 7: others' first token and stop, name look-ups, and the server's end."""
    url = f"ws://127.0.0.1:{lab.port}/api/stop-chat/ws"
    headers = {"Authorization": f"token {lab.token}"}
    socket = await websocket_connect(HTTPRequest(url, headers=headers))
    page = Page(socket)
    for number in range(STUCK):
        streams = number % 2 == 0
        message_id = await page.ask("stream" if streams else "generate")
        if streams:
            await page.until("delta", message_id=message_id)
        await page.send(type="stop", message_id=message_id)
        message = await page.end(message_id)
        assert message["state"] == "interrupted"
        assert message["text"] == ""  # the deltas held it
        assert message["text_length"] == (len("begun ") if streams else 0)
        assert message["stop"]["provider"] in ("still_finishing", "not_started")
        assert message["stop"]["settled_ms"] <= 2000
    firsts, stops, threads = [], [], []
    for _ in range(7):
        began = time.perf_counter()
        message_id = await page.ask("polite")
        await page.until("delta", message_id=message_id)
        firsts.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        await page.send(type="stop", message_id=message_id)
        message = await page.end(message_id)
        stops.append((time.perf_counter() - began) * 1000)
        assert message["stop"]["provider"] == "closed"
        message_id = await page.ask("thread")
        delta = await page.until("delta", message_id=message_id)
        threads.append(float(delta["text"]))
        await page.end(message_id)
    measured = {"first token": firsts, "stop": stops, "to_thread": threads}
    print({name: round(statistics.median(each), 1) for name, each in measured.items()}, "ms")
    assert statistics.median(firsts) < 50, firsts
    assert statistics.median(stops) < 50, stops
    assert statistics.median(threads) < 20, threads
    socket.close()
    assert lab.process is not None
    began = time.perf_counter()
    lab.process.terminate()
    code = await asyncio.get_running_loop().run_in_executor(None, lab.process.wait, 20)
    took = time.perf_counter() - began
    print(f"the server ended after {took:.1f} s with {code}")
    assert took < 5, lab.log.read_text()[-3000:]
