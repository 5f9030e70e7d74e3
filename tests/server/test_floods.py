"""Floods on a live server: sockets, requests and frames beyond what is allowed."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClientConnection

from jupyter_stop_chat.server.routes import document
from jupyter_stop_chat.testing import Endless, ScriptedHandler
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode
from jupyter_stop_chat.wire.objects import MAX_FRAME_BYTES
from tests.aids.in_turn import in_turn

OPERATIONS = [
    (method.upper(), path, described["responses"])
    for path, methods in document()["paths"].items()
    for method, described in methods.items()
]
#: What is never refused to who asks too often: a stop, and what watches over the server.
UNLIMITED = {
    ("POST", "/generations/{message_id}/interrupt"),
    ("POST", "/interrupt"),
    ("GET", "/health"),
}


@pytest.fixture(autouse=True)
def _nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the routes installs the local model."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


# --- requests --------------------------------------------------------------------------------


@pytest.fixture
def call(jp_fetch: Any, jp_ws_fetch: Any) -> Callable[..., Any]:
    """Ask a route; what is refused is an answer as well."""

    async def made(method: str, path: str, body: Any = None) -> Any:
        for part in ("message_id", "chat_id"):
            path = path.replace(f"{{{part}}}", str(uuid.uuid4()))
        path = path.replace("{name}", "openai").replace("{digest}", "0" * 64)
        path = path.replace("{server}", "wiki").replace("{tool}", "wiki__read")
        path = path.replace("{call}", str(uuid.uuid4())).replace("{call_id}", "call_0")
        if body is None and method in {"POST", "PUT", "PATCH"}:
            body = {}
        text = None if body is None else json.dumps(body)
        try:
            return await jp_fetch(
                "api", "stop-chat", *path[1:].split("/"), method=method, body=text
            )
        except HTTPClientError as refused:
            return refused.response

    return made


@pytest.fixture
def asked_too_often(app: Any, call: Any, jp_asyncio_loop: asyncio.AbstractEventLoop) -> None:
    """Use up what may be asked."""
    app.max_rate, app.max_burst = 0.01, 1
    assert jp_asyncio_loop.run_until_complete(call("GET", "/chats")).code == 200


@in_turn(("method", "path", "responses"), OPERATIONS)
async def test_who_asks_too_often_is_told_when_to_come_back(
    asked_too_often: None, call: Any, method: str, path: str, responses: dict[str, Any]
) -> None:
    """Every route, except for a stop and for the server's health."""
    answered = await call(method, path)
    if (method, path) in UNLIMITED:
        assert answered.code in {200, 404}
        assert "429" not in responses
        return
    assert answered.code == 429
    assert "Retry-After" in responses["429"]["headers"]
    assert 1 <= int(answered.headers["Retry-After"]) <= 100
    assert json.loads(answered.body) == {
        "code": "too_fast",
        "message": SENTENCES[ErrorCode.TOO_FAST][0],
    }


async def test_one_owner_who_asks_too_often_holds_up_nobody_else(
    app: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J6."""
    app.max_rate, app.max_burst = 0.01, 2
    assert [(await call("GET", "/chats")).code for _ in range(3)] == [200, 200, 429]
    monkeypatch.setattr("jupyter_stop_chat.server.base.owner_of", lambda *who: "user:other")
    assert (await call("GET", "/chats")).code == 200


async def test_so_many_chats_for_each_owner(app: Any, call: Any, connect: Any) -> None:
    """A prompt in a new chat and an imported one are refused; what is there goes on."""
    app.titles, app.max_chats_per_owner = "prompt", 1
    services = await app.services()
    services.models.register("scripted", lambda name: ScriptedHandler(["Hello"]))
    page = await connect()
    first = await page.ask(model="scripted:x")
    await page.end_of(first["message"]["id"])
    request_id = str(uuid.uuid4())
    new = {"type": "send", "request_id": request_id, "chat_id": None, "body": "?"}
    await page.send(new | {"model": "scripted:x"})
    refused = await page.until("error")
    assert (refused["code"], refused["request_id"]) == ("too_many_chats", request_id)
    body = {"body": "Hi", "model": "scripted:x"}
    exported = {"chat": {"title": "Mine"}, "messages": []}
    for path, sent in (("/generate", body), ("/chats", exported)):
        answered = await call("POST", path, sent)
        assert (answered.code, json.loads(answered.body)["code"]) == (409, "too_many_chats")
    second = await page.ask(chat_id=first["chat_id"], model="scripted:x")
    await page.end_of(second["message"]["id"])
    await call("DELETE", f"/chats/{first['chat_id']}")
    assert (await call("POST", "/chats", exported)).code == 201


# --- sockets ---------------------------------------------------------------------------------


async def test_so_many_sockets_for_each_owner(
    app: Any, connect: Any, jp_ws_fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more is told so and closed; when another goes, there is room."""
    app.max_sockets_per_owner = 2
    pages = [await connect(), await connect()]
    refused: WebSocketClientConnection = await jp_ws_fetch("api", "stop-chat", "ws")
    told = json.loads(await refused.read_message())
    assert told == {
        "type": "error",
        "code": "too_many_sockets",
        "message": SENTENCES[ErrorCode.TOO_MANY_SOCKETS][0],
    }
    assert await refused.read_message() is None
    assert refused.close_code == 1013
    refused.close()
    with monkeypatch.context() as patch:
        patch.setattr("jupyter_stop_chat.server.socket.owner_of", lambda *who: "user:other")
        await connect()
    await pages[0].close()
    while len(app.sockets) > 2:  # noqa: ASYNC110 - until the server has heard of it
        await asyncio.sleep(0)
    await connect()


# --- frames ----------------------------------------------------------------------------------


def _frames(kind: str) -> str:
    unknown = str(uuid.uuid4())
    return {
        "junk": "junk",
        "large": "x" * MAX_FRAME_BYTES,
        "open": json.dumps({"type": "open", "chat_id": unknown}),
        "send": json.dumps(
            {"type": "send", "request_id": unknown, "chat_id": unknown, "body": "?"}
        ),
        "stop": json.dumps({"type": "stop", "message_id": unknown}),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("large", 120),
        ("send", 1000),
        *(
            pytest.param(kind, 300 if kind == "large" else 3000, marks=pytest.mark.stress)
            for kind in ("junk", "large", "open", "send", "stop")
        ),
    ],
)
async def test_a_flood_harms_neither_others_nor_the_socket_itself(
    app: Any, connect: Any, kind: str, count: int
) -> None:
    """J6: others are written to and stop; the flooding one is told why, and stops as well."""
    app.titles, app.default_model = "prompt", "scripted:x"
    app.max_rate, app.max_burst = 1.0, 100
    services = await app.services()
    services.models.register("scripted", lambda name: ScriptedHandler([Endless("word ")]))
    flooder, other = await connect(), await connect()
    own, others = await flooder.ask(), await other.ask()
    documented = {"bad_frame", "unknown_chat", "server_busy", "too_many_generations", "too_fast"}
    stop = {"type": "stop", "message_id": own["message"]["id"]}

    async def flood() -> None:
        for number in range(count):
            await flooder.send(_frames(kind))
            if number == count // 2:
                await flooder.send(stop)

    flooding = asyncio.create_task(flood())
    for _ in range(3):
        await other.until("delta")
    result = await flooder.until(
        "stop_result", lambda told: told.get("message_id") == stop["message_id"]
    )
    assert result["results"][0]["outcome"] == "interrupted"
    await other.send({"type": "stop", "message_id": others["message"]["id"]})
    result = await other.until("stop_result")
    assert result["results"][0]["outcome"] == "interrupted"
    stops = count + 1 if kind == "stop" else 1  # each of them is answered: none is refused

    async def read_to_the_end() -> None:
        while len([each for each in flooder.frames if each["type"] == "stop_result"]) <= stops:
            await flooder.read()

    reading = asyncio.create_task(read_to_the_end())
    await flooding
    await flooder.send({"type": "stop", "message_id": str(uuid.uuid4())})
    await reading
    told = {frame["code"] for frame in flooder.frames if frame["type"] == "error"}
    assert told <= documented
    assert ("too_fast" in told) == (kind != "stop")
    assert services.engine.registry.empty
