"""Two real Jupyter Servers on one data folder: each says what the other makes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from tests.browser.lab import Lab
from tests.conftest import Client
from tests.page import Page
from tests.providers import OpenAIProvider, Script


@pytest.fixture
def provider() -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model that never comes to an end."""
    with OpenAIProvider(Script(tokens=10_000_000, rate=50)).in_thread() as made:
        yield made


@pytest.fixture
def labs(tmp_path: Path, provider: OpenAIProvider) -> Iterator[list[Lab]]:
    """Start two servers, as somebody does who forgot that one runs."""
    address = {"base_url": provider.base_url, "api_key": "sk-x"}
    config = {
        "StopChatApp": {
            "default_model": "openai:loopback",
            "titles": "prompt",
            "model_parameters": {"openai": address},
        }
    }
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
