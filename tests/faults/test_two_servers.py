"""Two real Jupyter Servers on one data folder: each says what the other makes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from tests.browser.lab import Lab, asking
from tests.conftest import Client
from tests.page import Page
from tests.providers import OpenAIProvider, Script


@pytest.fixture
def provider() -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model that never comes to an end."""
    with OpenAIProvider(Script(tokens=10_000_000, rate=50)).in_thread() as made:
        yield made


@pytest.fixture
def no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have servers run where files cannot be locked, as in some network homes."""
    refusing = "def flock(*args): raise OSError(37, 'No locks available')"
    (tmp_path / "sitecustomize.py").write_text(f"import fcntl\n{refusing}\nfcntl.flock = flock\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)


@pytest.fixture
def labs(tmp_path: Path, provider: OpenAIProvider) -> Iterator[list[Lab]]:
    """Start two servers, as somebody does who forgot that one runs."""
    config = asking(provider.base_url)
    made = [Lab(tmp_path / name, config, "jupyter_server") for name in ("a", "b")]
    for lab in made:
        lab.data = tmp_path / "data"
        lab.start()
    yield made
    for lab in made:
        lab.stop()


async def _connect(lab: Lab) -> Client:
    url = f"ws://127.0.0.1:{lab.port}/api/stop-chat/ws"
    headers = {"Authorization": f"token {lab.token}"}
    page = Client(await websocket_connect(HTTPRequest(url, headers=headers)))
    await page.until("welcome")
    return page


async def _close(*pages: Client) -> None:
    for page in pages:
        page.socket.close()
        while await page.socket.read_message() is not None:
            pass


async def _ask(lab: Lab, method: str, path: str) -> Any:
    address = f"http://127.0.0.1:{lab.port}/api/stop-chat/{path}"
    headers = {"Authorization": f"token {lab.token}"}
    body = "{}" if method == "POST" else None
    answer = await AsyncHTTPClient().fetch(HTTPRequest(address, method, headers, body))
    return json.loads(answer.body or "null")


async def _open(page: Client, chat_id: str) -> list[dict[str, Any]]:
    await page.send({"type": "open", "chat_id": chat_id})
    opened = await page.until("chat", lambda frame: "messages" in frame)
    return list(opened["messages"])


def _shown(page: Client) -> Page:
    """Show what came: a gap, or text that is doubled, fails."""
    shown = Page()
    for frame in page.frames:
        shown.show(frame)
    return shown


async def test_the_second_server_says_who_makes_it_and_takes_over_when_that_dies(
    labs: list[Lab], provider: OpenAIProvider
) -> None:
    """H4, W1: shown as it grows, no stop that does nothing, and after `kill -9` it is ended."""
    first, second = labs
    a, b = await _connect(first), await _connect(second)
    accepted = await a.ask()
    message_id, chat_id = accepted["message"]["id"], accepted["chat_id"]
    await a.until("delta")
    messages = await _open(b, chat_id)
    assert (messages[-1]["state"], messages[-1]["made_elsewhere"]) == ("generating", True)
    await b.until("message", lambda frame: frame["message"]["text"] != "")
    await b.send({"type": "stop", "message_id": message_id})
    (result,) = (await b.until("stop_result"))["results"]
    assert (result["message_id"], result["outcome"]) == (message_id, "made_elsewhere")
    told = await _ask(second, "POST", f"generations/{message_id}/interrupt")
    assert told["outcome"] == "made_elsewhere"
    assert not provider.requests[0].closed.is_set()
    frame = {"type": "send", "request_id": message_id, "chat_id": chat_id, "body": "And now?"}
    await b.send(frame)
    assert (await b.until("error"))["code"] == "made_elsewhere"
    assert first.process is not None
    first.process.kill()
    await asyncio.to_thread(first.process.wait)
    ended = await b.end_of(message_id)
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "server_restart")
    whole = await _ask(second, "GET", f"chats/{chat_id}")
    assert whole["messages"][-1]["text"] == _shown(b).text(message_id) != ""
    again = await b.ask("Go on", chat_id=chat_id)
    await b.until("delta", lambda frame: frame["message_id"] == again["message"]["id"])
    await _close(a, b)


async def test_a_chat_that_is_deleted_through_the_other_server(
    labs: list[Lab], provider: OpenAIProvider
) -> None:
    """H4: the model is stopped, and the page that shows it is told that it is gone."""
    first, second = labs
    a = await _connect(first)
    accepted = await a.ask()
    await a.until("delta")
    await _ask(second, "DELETE", f"chats/{accepted['chat_id']}")
    gone = await a.until("chat", lambda frame: frame.get("deleted", False))
    assert gone["chat"]["id"] == accepted["chat_id"]
    await asyncio.wait_for(provider.requests[0].closed.wait(), 20)
    assert (await _ask(first, "GET", "generations"))["generations"] == []
    await _close(a)


async def _see(labs: list[Lab]) -> tuple[Client, Client, str, str]:
    """Have the first make a reply that a page of each sees grow."""
    a, b = await _connect(labs[0]), await _connect(labs[1])
    accepted = await a.ask()
    message_id, chat_id = accepted["message"]["id"], accepted["chat_id"]
    await a.until("delta")
    await _open(b, chat_id)
    await b.until("message", lambda frame: frame["message"]["text"] != "")
    return a, b, message_id, chat_id


def _halt(lab: Lab, *statements: str) -> None:
    """Halt a server, where it holds no lock of the database, and change that meanwhile."""
    assert lab.process is not None
    with closing(sqlite3.connect(lab.data / "stop-chat" / "chats.sqlite", timeout=0)) as database:
        while True:
            lab.process.send_signal(signal.SIGSTOP)
            os.waitpid(lab.process.pid, os.WUNTRACED)
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                lab.process.send_signal(signal.SIGCONT)
                continue
            for statement in statements:
                database.execute(statement)
            database.commit()
            return


def _tokens(letter: str, length: int) -> str:
    return "".join(f"{letter}{n} " for n in range(length))[:length]


async def _all_show(labs: list[Lab], pages: list[Client], chat_id: str, message_id: str) -> str:
    """Check that pages and servers have one text, and return it."""
    texts = {_shown(page).text(message_id) for page in pages}
    for lab in labs:
        last = (await _ask(lab, "GET", f"chats/{chat_id}"))["messages"][-1]
        texts.add(last["text"])
        assert not last["made_elsewhere"]
    (text,) = texts
    return text


@pytest.mark.parametrize("then", ["it goes on", "it is killed"])
async def test_a_server_that_is_halted_keeps_its_reply(
    labs: list[Lab], provider: OpenAIProvider, then: str
) -> None:
    """H4, W1: the other says who makes it, begins nothing beside it and ends nothing."""
    first, second = labs
    a, b, message_id, chat_id = await _see(labs)
    _halt(first, "UPDATE processes SET seen_at = seen_at - 1000")
    halted_at = len(_shown(b).text(message_id))
    prompt = {"type": "send", "request_id": str(uuid.uuid4()), "chat_id": chat_id, "body": "And?"}
    await b.send(prompt)
    assert (await b.until("error"))["code"] == "made_elsewhere"
    await b.send({"type": "stop", "chat_id": chat_id})
    (result,) = (await b.until("stop_result"))["results"]
    assert (result["message_id"], result["outcome"]) == (message_id, "made_elsewhere")
    reply = (await _open(b, chat_id))[-1]
    assert (reply["state"], reply["made_elsewhere"]) == ("generating", True)
    assert not provider.requests[0].closed.is_set()
    assert first.process is not None
    if then == "it is killed":
        first.process.kill()
        await asyncio.to_thread(first.process.wait)
        ended = await b.end_of(message_id)
        assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "server_restart")
        await _all_show([second], [b], chat_id, message_id)
        await _close(a, b)
        return
    first.process.send_signal(signal.SIGCONT)
    await b.until("message", lambda frame: frame["message"]["text_length"] > halted_at)
    await a.send({"type": "stop", "message_id": message_id})
    assert (await a.end_of(message_id))["stop"]["reason"] == "user"
    ended = await b.end_of(message_id)
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "user")
    text = await _all_show(labs, [a, b], chat_id, message_id)
    assert len(text) >= halted_at
    assert text == _tokens("t", len(text))
    await _close(a, b)


@pytest.mark.usefixtures("no_locks")
async def test_a_server_that_was_halted_for_long_where_nothing_can_be_locked(
    labs: list[Lab], provider: OpenAIProvider
) -> None:
    """H4, W1: the other goes on with its reply; when it wakes, not a word of it is in there."""
    first, _ = labs
    a, b, message_id, chat_id = await _see(labs)
    _halt(first, "UPDATE processes SET seen_at = seen_at - 61")
    ended = await b.end_of(message_id)
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "server_restart")
    half = ended["text_length"]
    # Other words than those that the first server still gets.
    provider.scripts.append(Script(tokens=[f"u{n} " for n in range(100_000)], rate=50))
    await b.send({"type": "continue", "message_id": message_id, "request_id": str(uuid.uuid4())})
    await b.until("delta", lambda frame: frame["message_id"] == message_id)
    assert first.process is not None
    first.process.send_signal(signal.SIGCONT)
    await a.until("message", lambda frame: frame["message"]["made_elsewhere"])
    await asyncio.wait_for(provider.requests[0].closed.wait(), 20)
    assert not provider.requests[1].closed.is_set()
    await a.send({"type": "stop", "message_id": message_id})
    (result,) = (await a.until("stop_result"))["results"]
    assert result["outcome"] == "made_elsewhere"
    await b.send({"type": "stop", "message_id": message_id})
    await b.end_of(message_id)
    assert (await a.end_of(message_id))["stop"]["reason"] == "user"
    text = await _all_show(labs, [a, b], chat_id, message_id)
    assert text[:half] == _tokens("t", half)
    assert text[half:].lstrip() == _tokens("u", len(text[half:].lstrip()))
    await _close(a, b)
