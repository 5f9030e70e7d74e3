"""A real server that is told to end while something in it stalls: it ends, and nothing is left."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.aids.turns import until
from tests.browser.lab import Lab, asking
from tests.faults.servers import ask, connect, leave
from tests.providers import NeverAccepts, OpenAIProvider, Script

WHEN = "2026-01-01T00:00:00Z"
#: Has the database's threads wait for ever, once a file is there: a disk that answers no more.
#: What closes waits for it a second.
STALLING = """
import pathlib, threading
from jupyter_stop_chat import closing
from jupyter_stop_chat.threads import Threads

real = Threads.call

def call(self, function, then):
    def stall():
        if pathlib.Path({stall!r}).exists():
            pathlib.Path({stalled!r}).touch()
            threading.Event().wait()
        return function()
    real(self, stall, then)

Threads.call = call
closing.PATIENCE_S = 1.0
"""


@pytest.fixture
def provider() -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model that never comes to an end."""
    with OpenAIProvider(Script(tokens=10_000_000, rate=50)).in_thread() as made:
        yield made


@pytest.fixture
def lab(tmp_path: Path, provider: OpenAIProvider) -> Iterator[Lab]:
    """Return a server that is not started yet."""
    made = Lab(tmp_path, asking(provider.base_url), "jupyter_server")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait(60)


async def _end(lab: Lab, how: str) -> None:
    """Tell the server to end, and wait until its process has."""
    assert lab.process is not None
    if how == "SIGTERM":
        lab.process.send_signal(signal.SIGTERM)
    else:
        asked = ask(lab, "POST", "shutdown")
        asked.add_done_callback(lambda done: done.exception())
    assert await asyncio.to_thread(lab.process.wait, 60) == 0, lab.log.read_text()
    # What another thread or task would still do is done by nobody.
    assert "Traceback" not in lab.log.read_text()


def _kept(lab: Lab) -> list[tuple[str, str]]:
    """Return what is in the database, as it was left: each reply's state, and why it stopped."""
    with closing(sqlite3.connect(lab.data / "stop-chat" / "chats.sqlite")) as database:
        found = database.execute("SELECT state, stop FROM messages WHERE role = 'assistant'")
        return [(state, json.loads(stop or "{}").get("reason")) for state, stop in found]


#: Providers that come to no end, each at another moment.
STALLS = (
    Script(stall="before_headers"),
    Script(stall="after_headers"),
    Script(stall_after=3),
    Script(tokens=["x" * 1000] * 2000, stall_after=1500),
)


@pytest.mark.parametrize("how", ["SIGTERM", pytest.param("the API", marks=pytest.mark.stress)])
async def test_providers_that_stall_and_a_page_that_reads_nothing(
    lab: Lab, provider: OpenAIProvider, how: str
) -> None:
    """L12: they are let go of, their replies saved, and the sockets closed."""
    await asyncio.to_thread(lab.start)
    pages = []
    for count, script in enumerate(STALLS, 1):
        provider.script = script
        page = await connect(lab)
        await page.ask()
        request = await provider.next_request(count)
        if script.stall is None and script is not STALLS[-1]:
            await page.until("delta")
        pages.append(page)
    # The client takes no more than a frame that nobody asks for.
    await until(lambda: request.tokens_sent == 1500)
    await _end(lab, how)
    await asyncio.wait_for(provider.no_connections(), 20)
    assert _kept(lab) == [("interrupted", "server_shutdown")] * len(STALLS)
    await leave(*pages)


@pytest.mark.parametrize(
    ("doing", "how"),
    [
        pytest.param("a reply", "SIGTERM", marks=pytest.mark.stress),
        pytest.param("a reply", "the API", marks=pytest.mark.stress),
        pytest.param("an import", "SIGTERM", marks=pytest.mark.stress),
    ],
)
async def test_a_disk_that_answers_no_more(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doing: str, how: str
) -> None:
    """L12: what it does not take is given up, and found by the next start."""
    stall, stalled = tmp_path / "stall", tmp_path / "stalled"
    code = STALLING.format(stall=str(stall), stalled=str(stalled))
    (tmp_path / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    await asyncio.to_thread(lab.start)
    page = await connect(lab)
    if doing == "a reply":
        await page.ask()
        await page.until("delta")
        stall.touch()
    else:
        stall.touch()
        said = {"id": str(uuid.uuid4()), "chat_id": str(uuid.uuid4()), "role": "user"}
        said |= {"text": "Hi", "text_length": 2, "state": "completed", "created_at": WHEN}
        asked = ask(lab, "POST", "stop-chat/chats", {"chat": {}, "messages": [said]})
        asked.add_done_callback(lambda done: done.exception())
    await until(stalled.exists)
    await _end(lab, how)
    await leave(page)
    stall.unlink()
    await asyncio.to_thread(lab.start)
    page = await connect(lab)
    listed = json.loads((await ask(lab, "GET", "stop-chat/chats")).body)
    states = {"a reply": [("interrupted", "server_restart")], "an import": []}
    assert _kept(lab) == states[doing]
    assert len(listed["chats"]) == len(states[doing])
    await _end(lab, "SIGTERM")
    await leave(page)


async def test_an_installation_that_stalls(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """L12: what fetches the model is ended too."""
    with NeverAccepts() as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.origin}/simple")
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        await asyncio.to_thread(lab.start)
        assert lab.process is not None
        server = psutil.Process(lab.process.pid)
        await ask(lab, "POST", "stop-chat/local-model")
        await until(lambda: bool(server.children(recursive=True)))
        fetching = server.children(recursive=True)
        await _end(lab, "SIGTERM")
        assert psutil.wait_procs(fetching, 20)[1] == []
