"""A real Jupyter Server that is killed, or asked to end, while chats are streaming."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import random
import signal
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.browser.lab import Lab, asking
from tests.pictures import drawn
from tests.providers import OpenAIProvider, Script

CHATS = 8
#: Where the server is killed: after so many deltas have been seen. Each run goes the same way.
MOMENTS = random.Random(20_261)


class Viewer:
    """A client that records what it was shown."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._socket: WebSocketClientConnection | None = None
        self.shown: dict[str, str] = {}
        self.chats: dict[str, str] = {}
        self.deltas = 0

    async def connect(self) -> None:
        """Connect to the server."""
        url = f"ws://127.0.0.1:{self._lab.port}/api/stop-chat/ws"
        headers = {"Authorization": f"token {self._lab.token}"}
        self._socket = await websocket_connect(HTTPRequest(url, headers=headers))
        await self.read("welcome")

    async def send(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        assert self._socket is not None
        await self._socket.write_message(json.dumps(frame))

    async def ask(self) -> None:
        """Begin a chat."""
        frame = {"request_id": str(uuid.uuid4()), "chat_id": None, "body": "A long story"}
        await self.send({"type": "send", **frame})

    async def read(self, type_: str = "") -> dict[str, Any] | None:
        """Read on until a frame of that type, or any; None once the socket has closed."""
        assert self._socket is not None
        while (raw := await asyncio.wait_for(self._socket.read_message(), 30)) is not None:
            frame: dict[str, Any] = json.loads(raw)
            if frame["type"] == "accepted":
                self.chats[frame["message"]["id"]] = frame["chat_id"]
                self.shown[frame["message"]["id"]] = ""
            if frame["type"] == "delta":
                self.deltas += 1
                self.shown[frame["message_id"]] += frame["text"]
            if type_ in ("", frame["type"]):
                return frame
        return None

    async def watch_until(self, deltas: int) -> None:
        """Watch until so many deltas have been seen, some of them in every chat."""
        while self.deltas < deltas or not all(self.shown.values()) or len(self.shown) < CHATS:
            assert await self.read() is not None

    async def drain(self) -> None:
        """Read what was under way when the server died."""
        while await self.read() is not None:
            pass
        assert self._socket is not None
        self._socket.close()

    async def close(self) -> None:
        """Close the socket."""
        assert self._socket is not None
        self._socket.close()
        await self.drain()


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model that never comes to an end."""
    with OpenAIProvider(Script(tokens=10_000_000, rate=150)).in_thread() as made:
        yield made


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, provider: OpenAIProvider) -> Iterator[Lab]:
    """Prepare a Jupyter Server in a process of its own, which one test after another ends."""
    made = Lab(tmp_path_factory.mktemp("lab"), asking(provider.base_url), "jupyter_server")
    yield made
    made.stop()


def _begin(lab: Lab) -> None:
    """Start the server, unless it runs."""
    if lab.process is None or lab.process.poll() is not None:
        lab.start()


async def _streaming(lab: Lab) -> Viewer:
    viewer = Viewer(lab)
    await viewer.connect()
    for _ in range(CHATS):
        await viewer.ask()
    return viewer


async def _check(lab: Lab, viewer: Viewer, reason: str) -> None:
    """Look at every chat again: nothing that was shown is lost, and nothing still runs."""
    began = time.monotonic()
    again = Viewer(lab)
    await again.connect()
    for message_id, chat_id in viewer.chats.items():
        await again.send({"type": "open", "chat_id": chat_id})
        while True:
            frame = await again.read("chat")
            assert frame is not None
            if frame["chat"]["id"] == chat_id and "messages" in frame:
                break
        reply = frame["messages"][-1]
        assert reply["id"] == message_id
        assert reply["state"] == "interrupted"
        assert reply["stop"]["reason"] == reason
        assert reply["text"].startswith(viewer.shown[message_id]), "shown and lost"
        assert frame["messages"][0]["text"] == "A long story"
        assert frame["chat"]["state"] == "idle"
    assert time.monotonic() - began < 5
    await again.close()


async def _kill_and_look(lab: Lab, moment: int) -> None:
    viewer = await _streaming(lab)
    await viewer.watch_until(moment)
    assert lab.process is not None
    lab.process.kill()
    lab.process.wait(60)
    await viewer.drain()
    lab.start()
    await _check(lab, viewer, "server_restart")


async def test_nothing_shown_is_lost_when_the_server_is_killed(lab: Lab) -> None:
    """B3, rule 12: `kill -9`, with 8 chats streaming."""
    _begin(lab)
    await _kill_and_look(lab, MOMENTS.randrange(50, 800))


@pytest.mark.stress
@pytest.mark.timeout(1200)
async def test_nothing_shown_is_lost_in_fifty_kills(lab: Lab) -> None:
    """B3."""
    _begin(lab)
    for _ in range(50):
        await _kill_and_look(lab, MOMENTS.randrange(10, 1500))


@pytest.mark.parametrize("how", ["SIGTERM", pytest.param("Ctrl-C", marks=pytest.mark.stress)])
async def test_what_runs_is_saved_when_the_server_ends(
    lab: Lab, provider: OpenAIProvider, how: str
) -> None:
    """L12, V1: everything is stopped, its provider closed, and saved within 3 s."""
    terminal, inside = pty.openpty()
    if how == "Ctrl-C":
        lab.stop()
        lab.start(stdin=inside)
    _begin(lab)
    viewer = await _streaming(lab)
    await viewer.watch_until(100)
    assert lab.process is not None
    if how == "Ctrl-C":
        lab.process.send_signal(signal.SIGINT)
        await asyncio.to_thread(_asked, lab)
        began = time.monotonic()
        os.write(terminal, b"y\n")
    else:
        began = time.monotonic()
        lab.process.send_signal(signal.SIGTERM)
    while any(not request.closed.is_set() for request in provider.requests):
        await asyncio.wait_for(provider_closes(provider), 3)
    assert time.monotonic() - began < 3
    await viewer.drain()
    lab.process.wait(10)
    os.close(terminal)
    os.close(inside)
    lab.start()
    await _check(lab, viewer, "server_shutdown")


def _asked(lab: Lab) -> None:
    """Wait until the server has asked whether it is to end."""
    while "Shut down this Jupyter server" not in lab.log.read_text():
        time.sleep(0.02)


async def provider_closes(provider: OpenAIProvider) -> None:
    """Wait until every connection to the provider was seen to close."""
    for request in provider.requests:
        await request.closed.wait()


async def test_a_picture_in_the_queue_outlives_a_kill(lab: Lab, provider: OpenAIProvider) -> None:
    """W24, B3: its prompt is there with it, was sent to nobody, and is sent once when it is asked
    for again."""
    _begin(lab)
    viewer = Viewer(lab)
    await viewer.connect()
    await viewer.ask()
    running = await viewer.read("accepted")
    assert running is not None
    kept = await asyncio.to_thread(lab.ask, "POST", "api/stop-chat/blobs", drawn())
    picture = {"name": "plot.png", "text": "", "blob": kept["blob"]}
    frame = {"type": "send", "request_id": str(uuid.uuid4()), "chat_id": running["chat_id"]}
    await viewer.send(frame | {"body": "", "attachments": [picture]})
    waiting = await viewer.read("accepted")
    assert waiting is not None
    assert waiting["message"]["state"] == "queued"
    assert lab.process is not None
    lab.process.kill()
    lab.process.wait(60)
    await viewer.drain()
    lab.start()
    again = Viewer(lab)
    await again.connect()
    await again.send({"type": "open", "chat_id": running["chat_id"]})
    shown: dict[str, Any] | None = {}
    while shown is not None and "messages" not in shown:
        shown = await again.read("chat")
    assert shown is not None
    prompt, reply = shown["messages"][-2:]
    assert prompt["attachments"][0]["blob"] == kept["blob"]
    assert (prompt["id"], reply["state"]) == (waiting["user_message"]["id"], "interrupted")
    asked = len(provider.requests)
    assert all("image_url" not in json.dumps(each.body) for each in provider.requests)
    anew = {"type": "regenerate", "message_id": reply["id"], "request_id": str(uuid.uuid4())}
    await again.send(anew)
    await again.read("delta")
    await again.send(anew)  # a page that lost its connection says it twice
    await again.read("accepted")
    assert len(provider.requests) == asked + 1
    content = provider.requests[-1].body["messages"][-1]["content"]
    assert [each["type"] for each in content] == ["image_url", "text"]
    await again.send({"type": "stop", "all": True})
    await again.close()
