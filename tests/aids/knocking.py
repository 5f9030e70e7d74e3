"""Knock at the socket and at every route of the document.

Import `knock` and `nothing_is_downloaded` where they are needed.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_stop_chat.server.routes import document
from tests.aids.in_turn import in_turn
from tests.aids.sockets import end

#: Every method of every route, as the document tells; the socket is one of them.
SOCKET = ("GET", "/ws")
ROUTES = [
    (method.upper(), path) for path, methods in document()["paths"].items() for method in methods
]
EXTENSION = {"jpserver_extensions": {"jupyter_stop_chat": True}}
XSRF = {"_xsrf": "00112233445566778899aabbccddeeff"}
SOMEWHERE_ELSE = "https://elsewhere.example"


#: Make one test of one that takes a method and a path: at each of them, on one server.
everywhere = in_turn(("method", "path"), (SOCKET, *ROUTES))


def configured(**options: Any) -> pytest.MarkDecorator:
    server = EXTENSION | {key: value for key, value in options.items() if key != "identity"}
    config: dict[str, Any] = {"ServerApp": server}
    if "identity" in options:
        config["IdentityProvider"] = options["identity"]
    return pytest.mark.parametrize("jp_server_config", [config], ids=[""])


@pytest.fixture(autouse=True)
def nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the routes installs the local model."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


class Knock:
    """What knocks at a route or at the socket, with exactly the headers that are given."""

    def __init__(self, port: int, base_url: str, token: str) -> None:
        self.port = port
        self.base_url = base_url
        self.token = token
        self.sockets: list[WebSocketClientConnection] = []

    async def answer(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: str | None = None,
        **headers: str,
    ) -> tuple[int, Any]:
        """Return the status, and what was answered in JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        for part in ("message_id", "chat_id"):
            path = path.replace(f"{{{part}}}", str(uuid.uuid4()))
        path = path.replace("{name}", "openai").replace("{digest}", "0" * 64)
        path = path.replace("{server}", "wiki").replace("{tool}", "wiki__read")
        path = path.replace("{call}", str(uuid.uuid4())).replace("{call_id}", "call_0")
        address = f"127.0.0.1:{self.port}{self.base_url}api/stop-chat{path}{query}"
        if (method, path) == SOCKET:
            request = HTTPRequest(f"ws://{address}", headers=sent)
            try:
                socket = await websocket_connect(request)
            except HTTPClientError as refused:
                return refused.code, None
            self.sockets.append(socket)
            return 101, None
        if body is None and method in {"POST", "PUT", "PATCH"}:
            body = "{}"
        request = HTTPRequest(f"http://{address}", method, sent, body)
        response = await AsyncHTTPClient().fetch(request, raise_error=False)
        text = response.body.decode()
        return response.code, json.loads(text) if text.startswith("{") else text

    async def let_in(self, method: str, path: str, **more: str) -> bool:
        """Tell whether the route itself answered, and not what guards it."""
        status, told = await self.answer(method, path, **more)
        if (method, path) == SOCKET:
            assert status in {101, 403}
            return status == 101
        code = told.get("code") if isinstance(told, dict) else None
        if code in {"not_allowed", "no_such_route"}:
            assert status in {403, 404}
            assert set(told) == {"code", "message"}
            return False
        assert status < 500, told
        return True

    async def login(self) -> str:
        """Return the cookies of a browser that has signed in."""
        address = f"http://127.0.0.1:{self.port}{self.base_url}api/status"
        request = HTTPRequest(address, headers={"Authorization": f"token {self.token}"})
        response = await AsyncHTTPClient().fetch(request)
        cookies = [each.split(";")[0] for each in response.headers.get_list("Set-Cookie")]
        assert cookies
        return "; ".join([*cookies, *(f"{name}={value}" for name, value in XSRF.items())])

    @property
    def origin(self) -> str:
        """Return where this server's own pages come from."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        """Return the server's name."""
        return f"127.0.0.1:{self.port}"


@pytest.fixture
def knock(
    jp_asyncio_loop: asyncio.AbstractEventLoop,
    jp_serverapp: Any,
    jp_ws_fetch: Any,
    jp_http_port: int,
    jp_base_url: str,
) -> Iterator[Knock]:
    made = Knock(jp_http_port, jp_base_url, jp_serverapp.identity_provider.token)
    yield made
    for socket in made.sockets:
        jp_asyncio_loop.run_until_complete(end(socket))


def token(knock: Knock) -> dict[str, str]:
    return {"Authorization": f"token {knock.token}"}
