"""What people see of one another on a hub, and two named servers of one of them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import expect
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from tests.browser.chat_page import ChatPage
from tests.hub.conftest import PRESS, Desk, shown
from tests.hub.hub import Hub
from tests.providers import OpenAIProvider, Script

pytestmark = [pytest.mark.hub, pytest.mark.timeout(600)]

ENDLESS = Script(tokens=10_000_000, rate=60)


class Running:
    """A reply of somebody that is being made."""

    def __init__(self, hub: Hub, person: str, server: str) -> None:
        self.hub, self.person, self.server = hub, person, server
        headers = {"Authorization": f"token {hub.token(person)}"}
        body = json.dumps({"body": "Secret", "request_id": str(uuid.uuid4())}).encode()
        request = urllib.request.Request(
            f"{self.server}api/stop-chat/generate",
            body,
            headers | {"Content-Type": "application/json"},
        )
        self._stream = urllib.request.urlopen(request, timeout=60)
        told: dict[str, Any] = {}
        while "message_id" not in told:
            line = self._stream.readline()
            assert line, "the stream ended"
            if line.startswith(b"data: "):
                told = json.loads(line[6:])
        self.message_id: str = told["message_id"]
        self.chat_id: str = told["chat_id"]

    def state(self) -> str:
        """Return its state, as its owner is told."""
        path = f"generations/{self.message_id}"
        status, told = self.hub.ask(self.person, "GET", self.server, path)
        assert status == 200
        state: str = told["state"]
        return state

    def close(self) -> None:
        """Stop it, and read no more."""
        self.hub.ask(self.person, "POST", self.server, "interrupt")
        self._stream.close()


@pytest.fixture
def running(hub: Hub, provider: OpenAIProvider) -> Iterator[Callable[..., Running]]:
    """Have replies made that do not end by themselves."""
    provider.script = ENDLESS
    made: list[Running] = []

    def begin(person: str, name: str = "") -> Running:
        hub.start_server(person, name)
        made.append(Running(hub, person, hub.server(person, name)))
        return made[-1]

    yield begin
    for each in made:
        each.close()


def test_another_cannot_come_in(hub: Hub, running: Callable[..., Running]) -> None:
    """J6: neither a route nor the socket of somebody's server takes another's token."""
    hers = running("ada")
    one = f"generations/{hers.message_id}"
    for method, path, body in (
        ("GET", "chats", None),
        ("GET", f"chats/{hers.chat_id}", None),
        ("GET", "generations", None),
        ("GET", one, None),
        ("GET", "health", None),
        ("POST", f"{one}/interrupt", {}),
        ("POST", "interrupt", {}),
        ("POST", "interrupt", {"everyone": True}),
        ("POST", "generate", {"body": "Hi"}),
    ):
        status, told = hub.ask("ben", method, hers.server, path, body)
        assert status == 403, path
        assert "Secret" not in json.dumps(told)
    # Beside the browser's driver, whose loop runs in this thread.
    with ThreadPoolExecutor() as threads:
        for who, status in (("ben", 403), ("ada", 101)):
            work = _socket_status(hub, who, hers.server)
            assert threads.submit(asyncio.run, work).result() == status
    assert hers.state() == "generating"


async def _socket_status(hub: Hub, who: str, server: str) -> int:
    url = f"ws{server.removeprefix('http')}api/stop-chat/ws"
    headers = {"Authorization": f"token {hub.token(who)}"}
    try:
        socket = await websocket_connect(HTTPRequest(url, headers=headers))
    except HTTPClientError as error:
        return error.code
    socket.close()
    return 101


def test_anothers_ids_are_unknown(hub: Hub, running: Callable[..., Running]) -> None:
    """J6: on one's own server they answer like those that there never were."""
    hers = running("ada")
    hub.start_server("ben")
    his = hub.server("ben")
    for method, path, code in (
        ("GET", "chats/{chat}", "unknown_chat"),
        ("GET", "generations/{message}", "unknown_message"),
        ("POST", "generations/{message}/interrupt", "unknown_message"),
    ):
        for chat, message in ((hers.chat_id, hers.message_id), (uuid.uuid4(), uuid.uuid4())):
            asked = path.format(chat=chat, message=message)
            status, told = hub.ask("ben", method, his, asked)
            assert (status, told["code"]) == (404, code)
    assert hub.ask("ben", "POST", his, "interrupt", {})[1] == {"results": []}
    told = [
        hub.ask("ben", "POST", his, "interrupt", {"chat_id": str(chat)})
        for chat in (hers.chat_id, uuid.uuid4())
    ]
    assert told[0] == told[1] == (200, {"results": [{"outcome": "not_found"}]})
    assert hub.ask("ben", "GET", his, "chats")[1]["chats"] == []
    assert hers.state() == "generating"


def test_nobody_stops_everyone_by_default(hub: Hub, running: Callable[..., Running]) -> None:
    """J6: JupyterHub's authorizer allows whatever who may come in asks for; that is no leave."""
    hers = running("ada")
    status, told = hub.ask("ada", "POST", hers.server, "interrupt", {"everyone": True})
    assert (status, told["code"]) == (403, "not_allowed")
    done = _from_a_shell(hub, "ada", hers.server)
    assert (done.returncode, done.stdout) == (1, "")
    assert "may not stop everyone's" in done.stderr
    assert hers.state() == "generating"


def test_an_operator_stops_everyone(hub: Hub, running: Callable[..., Running]) -> None:
    """J6: as security.md shows it; who comes in at another's server sees none of their chats."""
    page = shown("security", "# jupyter_server_config")
    settings = hub.home("ben") / ".jupyter" / "jupyter_server_config.py"
    hub.stop_server("ben")
    settings.write_text(page)
    try:
        his = running("ben")
        status, told = hub.ask("ben", "POST", his.server, "interrupt", {"everyone": True})
        assert (status, told["code"]) == (403, "not_allowed")
        assert hub.ask("ada", "GET", his.server, "chats")[1]["chats"] == []
        status, told = hub.ask("ada", "GET", his.server, f"chats/{his.chat_id}")
        assert (status, told["code"]) == (404, "unknown_chat")
        assert his.state() == "generating"
        done = _from_a_shell(hub, "ada", his.server)
        assert done.stdout == f"{his.message_id} interrupted\nStopped: 1.\n"
        assert (done.returncode, done.stderr) == (0, "")
        assert his.state() == "interrupted"
    finally:
        settings.unlink()
        hub.stop_server("ben")


def _from_a_shell(hub: Hub, who: str, server: str) -> subprocess.CompletedProcess[str]:
    """Stop everyone's replies as an operator does."""
    command = ("interrupt", "--everyone", "--server", server)
    return subprocess.run(
        (sys.executable, "-m", "jupyter_stop_chat.cli.main", *command),
        env=os.environ | {"JUPYTER_TOKEN": hub.token(who)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_chat_that_all_share_keeps_them_apart(hub: Hub, provider: OpenAIProvider) -> None:
    """J6: as deployment.md shows it: one process, each with their own, and nobody runs code."""
    provider.script = ENDLESS
    hers, his = (Running(hub, person, hub.shared) for person in ("ada", "ben"))
    try:
        for one, other in ((hers, his), (his, hers)):
            _, told = hub.ask(one.person, "GET", hub.shared, "chats")
            assert [chat["id"] for chat in told["chats"]] == [one.chat_id]
            status, told = hub.ask(one.person, "GET", hub.shared, f"chats/{other.chat_id}")
            assert (status, told["code"]) == (404, "unknown_chat")
            status, told = hub.ask(one.person, "POST", hub.shared, "interrupt", {"everyone": True})
            assert (status, told["code"]) == (403, "not_allowed")
            for method, path in (
                ("POST", "kernels"),
                ("GET", "kernels"),
                ("POST", "terminals"),
                ("POST", "sessions"),
                ("GET", "contents"),
                ("POST", "shutdown"),
            ):
                status, _ = hub.ask_server(one.person, method, f"{hub.shared}api/{path}")
                assert status in {403, 404}, path
        assert {hers.state(), his.state()} == {"generating"}
        _, told = hub.ask("ben", "POST", hub.shared, "interrupt")
        assert [each["message_id"] for each in told["results"]] == [his.message_id]
        assert hers.state() == "generating"
    finally:
        hers.close()
        his.close()


def test_a_chat_that_all_share_in_a_browser(
    desk: Callable[[str], Desk], hub: Hub, provider: OpenAIProvider
) -> None:
    """It can be used where JupyterLab around it has no files, kernels and terminals."""
    provider.script = ENDLESS
    chat = desk("ada").chat_at(hub.shared)
    chat.ask("Tell me a story")
    chat.wait_for_text(100)
    chat.shot("hub-shared")
    chat.page.evaluate(PRESS)
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")


@pytest.fixture
def on_the_second(
    desk: Callable[[str], Desk], hub: Hub, running: Callable[..., Running]
) -> tuple[Running, ChatPage]:
    """Have a reply made on one server of somebody, and its chat open on another."""
    hub.start_server("ada", "second")
    first = running("ada")
    chat = desk("ada").chat("second")
    chat.page.get_by_role("button", name="Chats", exact=True).click()
    chat.page.locator(f"[data-chat-id='{first.chat_id}']").click()
    chat.wait_for_text(200)
    return first, chat


def test_a_reply_of_one_named_server_grows_on_another(
    on_the_second: tuple[Running, ChatPage], hub: Hub
) -> None:
    """One home, one history: also its end is seen there, and a stop by the API reaches it."""
    first, chat = on_the_second
    chat.wait_for_text(len(chat.text()) + 200)
    chat.shot("hub-second-server")
    path = f"generations/{first.message_id}/interrupt"
    status, told = hub.ask("ada", "POST", hub.server("ada", "second"), path)
    assert (status, told["outcome"]) == (200, "interrupted")
    assert first.state() == "interrupted"
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")


def test_a_reply_of_one_named_server_is_stopped_on_another(
    on_the_second: tuple[Running, ChatPage],
) -> None:
    """By the button, as if that server made it."""
    first, chat = on_the_second
    chat.expect_mode("stop")
    took = chat.page.evaluate(PRESS)
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    assert first.state() == "interrupted"
    chat.shot("hub-second-server-stopped")
    print(f"\nfrom the press on one named server to the end on another: {took:.0f} ms")
