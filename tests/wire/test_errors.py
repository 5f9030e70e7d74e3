"""What goes wrong: the client hears a code, a sentence and an id, and the log has that id."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_stop_chat.server.routes import document
from jupyter_stop_chat.testing import Raise, ScriptedHandler
from jupyter_stop_chat.wire.client_frames import CLIENT_TYPES
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode, StopChatError, new_error_id
from tests.aids.in_turn import in_turn

#: What no client may ever see: of an exception, of the machine, of a key.
SECRET = "/home/somebody/keys.py"
OPERATIONS = [
    (method.upper(), path, described["operationId"])
    for path, methods in document()["paths"].items()
    for method, described in methods.items()
    if path != "/openapi.json"  # it is made of nothing that could fail
]
#: What must be sent so that a route goes on to do something.
BODIES: dict[str, dict[str, Any]] = {
    "act_on_kernel": {"action": "interrupt"},
    "generate": {"body": "Hi"},
    "rename_chat": {"title": "A title"},
    "import_chat": {"chat": {}, "messages": []},
    "set_instructions": {"text": "Be brief."},
    "set_chat_instructions": {"text": "Be brief."},
    "note_changes": {"undone": True, "outcomes": []},
    "choose_model": {"model": "scripted:x"},
    "approve": {"digest": "0" * 64, "answer": "once"},
    "switch_mcp_tool": {"on": True},
    "allow_mcp_tool": {"digest": "0" * 32},
    "give_key": {"key": "sk-0123456789"},
    "give_address": {"base_url": "http://127.0.0.1:9/v1"},
}
FRAMES: dict[str, dict[str, Any]] = {
    "send": {"chat_id": None, "body": "Hi", "model": "scripted:x"},
    "stop": {"all": True},
    "open": {"chat_id": "ID"},
    "read": {"chat_id": "ID", "wanted": [{"message_id": "ID", "part": "text"}]},
    "continue": {"message_id": "ID"},
    "regenerate": {"message_id": "ID"},
    "edit": {"message_id": "ID", "body": "Hi"},
    "unqueue": {"message_id": "ID"},
    "reorder": {"chat_id": "ID", "message_ids": []},
    "resume": {"chat_id": "ID"},
    "approve": {"message_id": "ID", "call_id": "c", "digest": "0" * 64, "answer": "once"},
}


def fail(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError(SECRET)


def test_each_code_has_one_plain_sentence() -> None:
    """L5: a closed table."""
    assert set(SENTENCES) == set(ErrorCode)
    for sentence, status in SENTENCES.values():
        assert sentence.endswith(".")
        assert 200 <= status < 600
    assert len({sentence for sentence, _ in SENTENCES.values()}) == len(SENTENCES)
    told = StopChatError(ErrorCode.BUSY, SECRET)
    assert (told.sentence, told.status) == SENTENCES[ErrorCode.BUSY]
    assert new_error_id() != new_error_id()


def lines_with(error_id: str, caplog: Any) -> list[str]:
    return [
        logging.Formatter().format(each)
        for each in caplog.records
        if error_id in each.getMessage()
    ]


@in_turn(("method", "path", "name"), OPERATIONS)
async def test_a_route_that_fails_tells_an_id_that_the_log_knows(
    app: Any,
    jp_fetch: Any,
    jp_ws_fetch: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: Any,
    method: str,
    path: str,
    name: str,
) -> None:
    """L5: nothing of the exception; the one line in the log has the traceback, and no token."""
    monkeypatch.setattr(type(app), "services", fail)
    for part in ("message_id", "chat_id"):
        path = path.replace(f"{{{part}}}", str(uuid.uuid4()))
    path = path.replace("{name}", "openai_compatible").replace("{digest}", "0" * 64)
    path = path.replace("{server}", "wiki").replace("{tool}", "wiki__read")
    path = path.replace("{call}", str(uuid.uuid4())).replace("{call_id}", "call_0")
    body = json.dumps(BODIES.get(name, {})) if method in {"POST", "PUT", "PATCH"} else None
    with pytest.raises(HTTPClientError) as failed:
        await jp_fetch("api", "stop-chat", *path[1:].split("/"), method=method, body=body)
    answer = failed.value.response
    assert answer is not None
    assert answer.code == 500
    told = json.loads(answer.body)
    assert told == {
        "code": "internal",
        "message": SENTENCES[ErrorCode.INTERNAL][0],
        "error_id": told["error_id"],
    }
    assert SECRET not in f"{answer.headers}"
    (line,) = lines_with(told["error_id"], caplog)
    assert SECRET in line
    assert app.serverapp.identity_provider.token not in line


def test_every_frame_is_tried() -> None:
    asks_nothing = {"close", "ping", "focus", "tool_taken", "tool_answer"}
    assert {*FRAMES, *asks_nothing} == CLIENT_TYPES, "these ask nothing of the engine"


@in_turn(("kind",), [(kind,) for kind in sorted(FRAMES)])
async def test_a_frame_that_fails_tells_an_id_that_the_log_knows(
    app: Any, connect: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any, kind: str
) -> None:
    """L5: and the socket goes on."""
    services = await app.services()
    page = await connect()
    names = {"continue": "continue_", "open": "chat", "read": "chat"}
    with monkeypatch.context() as patch:
        patch.setattr(services.engine, names.get(kind, kind), fail)
        patch.setattr(services.engine, "begin_stop", fail)  # what runs is stopped by that
        names_none = {"stop", "open", "unqueue", "reorder", "resume", "approve"}
        request = {} if kind in names_none else _request()
        sent = {"type": kind, **FRAMES[kind], **request}
        await page.send(json.dumps(sent).replace("ID", str(uuid.uuid4())))
        told = await page.until("error")
    assert told["code"] == "internal"
    assert told.get("request_id") == request.get("request_id")
    assert SECRET not in json.dumps(page.frames)
    (line,) = lines_with(told["error_id"], caplog)
    assert SECRET in line
    await page.send({"type": "stop", "all": True})
    await page.until("stop_result")


async def test_a_socket_that_cannot_be_opened_tells_an_id_that_the_log_knows(
    app: Any, jp_ws_fetch: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """L5: a code and a sentence, then a proper close; the next one has a new try."""
    with monkeypatch.context() as patch:
        patch.setattr(type(app), "services", fail)
        socket = await jp_ws_fetch("api", "stop-chat", "ws")
        told = json.loads(await socket.read_message())
        assert await socket.read_message() is None
    assert socket.close_code == 1011
    socket.close()
    assert told == {
        "type": "error",
        "code": "internal",
        "message": SENTENCES[ErrorCode.INTERNAL][0],
        "error_id": told["error_id"],
    }
    (line,) = lines_with(told["error_id"], caplog)
    assert SECRET in line
    again = await jp_ws_fetch("api", "stop-chat", "ws")
    assert json.loads(await again.read_message())["type"] == "welcome"
    again.close()


async def test_a_reply_that_fails_tells_an_id_that_the_log_knows(
    app: Any, connect: Any, caplog: Any
) -> None:
    """L5: the page has it with the message; a model's own words stay out of both."""
    app.titles = "prompt"
    services = await app.services()
    services.models.register(
        "scripted", lambda name: ScriptedHandler([Raise(RuntimeError(SECRET))])
    )
    page = await connect()
    accepted = await page.ask(model="scripted:x")
    message = await page.end_of(accepted["message"]["id"])
    assert message["error"]["code"] == "generation_failed"
    assert lines_with(message["error"]["error_id"], caplog)
    assert SECRET not in json.dumps(page.frames)
    assert SECRET not in caplog.text


def _request() -> dict[str, str]:
    return {"request_id": str(uuid.uuid4())}
