"""A chat goes out as JSON and comes back as another chat; a bad file changes nothing."""

from __future__ import annotations

import copy
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_stop_chat.documents import importing
from jupyter_stop_chat.documents.export import export
from jupyter_stop_chat.documents.importing import MAX_IMPORT_BYTES, read_chat
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.testing import Gate, ScriptedHandler
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

IDS = [str(uuid.UUID(int=n, version=4)) for n in range(1, 6)]


def _message(at: int, role: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "id": IDS[at],
        "chat_id": IDS[4],
        "role": role,
        "text": text,
        "text_length": len(text),
        "state": "completed",
        "created_at": "2026-01-02T03:04:05.678Z",
    } | more


def _file(*messages: dict[str, Any], **chat: Any) -> dict[str, Any]:
    whole = {"id": IDS[4], "state": "idle", "created_at": "2026-01-02T03:04:05Z"} | chat
    return {"chat": whole, "messages": list(messages)}


GOOD = _file(
    _message(0, "user", "Why?"),
    _message(1, "assistant", "Because.", reply_to=IDS[0], request_id=IDS[3], model="a:b")
    | {"changes": {"cells": 2, "files": 0, "undone": False}},
    _message(2, "assistant", "So 🗼", reply_to=IDS[0], version_of=IDS[1], state="generating"),
    title="Of reasons",
)


def _read(file: Any) -> Any:
    read = read_chat(json.dumps(file).encode(), "ada", 1000)
    return read.chat, read.messages


def test_what_is_read_is_new_and_hangs_together() -> None:
    chat, (prompt, first, second) = _read(GOOD)
    assert (chat.title, chat.owner, chat.state) == ("Of reasons", "ada", "idle")
    assert not {chat.id, prompt.id, first.id, second.id} & set(IDS), "all ids are new"
    assert first.reply_to == second.reply_to == prompt.id
    assert second.version_of == first.id
    assert {each.chat_id for each in (prompt, first, second)} == {chat.id}
    assert first.request_id is None
    assert first.changes is None, "what it changed is written down elsewhere"
    assert (second.state, second.stop.reason) == ("interrupted", "server_restart")
    assert second.text_length == 5, "counted anew, in UTF-16"
    assert prompt.created_at == "2026-01-02T03:04:05.678Z"


def test_what_points_nowhere_or_in_a_ring_points_nowhere() -> None:
    file = copy.deepcopy(GOOD)
    file["messages"][0]["reply_to"] = IDS[1]
    file["messages"][1]["version_of"] = IDS[1]
    file["messages"][2]["reply_to"] = IDS[4]
    _, (prompt, first, second) = _read(file)
    assert (prompt.reply_to, first.version_of, second.reply_to) == (None, None, None)


def test_an_id_that_is_there_twice_means_the_nearest_before() -> None:
    file = _file(
        _message(0, "user", "One?"),
        _message(0, "user", "Two?"),
        _message(1, "assistant", "Two.", reply_to=IDS[0]),
    )
    _, (first, second, reply) = _read(file)
    assert len({first.id, second.id, reply.id}) == 3
    assert reply.reply_to == second.id


def test_text_that_nothing_can_carry_is_made_whole() -> None:
    _, (message,) = _read(_file(_message(0, "user", "a\ud83db\0c")))
    assert message.text == "a\ufffdb\ufffdc"
    running = {"call_id": "c", "name": "search", "state": "running", "args": "\ud800"}
    _, (reply,) = _read(_file(_message(0, "assistant", "", tools=[running])))
    assert (reply.tools[0].state, reply.tools[0].args) == ("interrupted", "\ufffd")


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59-23:59", "soon", "", "2026-01-01"])
def test_a_strange_time_is_no_reason_to_refuse(when: str) -> None:
    _, (message,) = _read(_file(_message(0, "user", "Hi", created_at=when)))
    assert message.created_at.endswith("Z")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "bad_frame"),
        (b"\xff\xfe", "bad_frame"),
        (b"[" * 100_000, "bad_frame"),
        (b'{"chat": NaN}', "bad_frame"),
        (b"[]", "invalid_field"),
        (b"{}", "invalid_field"),
        (b'{"chat": {}, "messages": [], "more": 1}', "invalid_field"),
        (b'{"chat": {"created_at": "soon"}, "messages": []}', "invalid_field"),
        (b'{"chat": {"title": 5}, "messages": []}', "invalid_field"),
        (json.dumps(_file(_message(0, "system", "Obey"))).encode(), "invalid_field"),
        (json.dumps(_file(_message(0, "user", "x", id="1"))).encode(), "invalid_field"),
        (json.dumps(_file(_message(0, "user", "x" * 1001))).encode(), "prompt_too_long"),
        (
            json.dumps(_file(_message(0, "assistant", "", reasoning="x" * 1001))).encode(),
            "prompt_too_long",
        ),
    ],
)
def test_a_bad_file_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(StopChatError) as refused:
        read_chat(raw, "ada", 1000)
    assert refused.value.code == code


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_IMPORT_BYTES", 10)
    with pytest.raises(StopChatError) as refused:
        _read(GOOD)
    assert refused.value.code == "prompt_too_long"


async def test_an_exported_chat_is_imported_again(app: Any, connect: Any, jp_fetch: Any) -> None:
    """V9: what was stopped comes back stopped, is found, and can be gone on with."""
    app.titles = "prompt"
    services = await app.services()
    services.models.register(
        "scripted", lambda name: ScriptedHandler(["Half a lighthouse", Gate()])
    )
    page = await connect()
    accepted = await page.ask("Tell", model="scripted:a")
    await page.until("delta")
    await page.send({"type": "stop", "message_id": accepted["message"]["id"]})
    await page.until("stop_result")
    path = ("api", "stop-chat", "chats")
    document = (
        await jp_fetch(*path, accepted["chat_id"], "export", params={"format": "json"})
    ).body
    answer = await jp_fetch(*path, method="POST", body=document)
    assert answer.code == 201
    chat_id = json.loads(answer.body)["id"]
    assert chat_id != accepted["chat_id"]
    await page.until("chat", lambda frame: frame["chat"]["id"] == chat_id)
    before, after = [
        json.loads((await jp_fetch(*path, each)).body)["messages"]
        for each in (accepted["chat_id"], chat_id)
    ]
    for old, new in zip(before, after, strict=True):
        for name in ("text", "state", "role", "stop", "model", "created_at", "text_length"):
            assert old.get(name) == new.get(name)
        assert old["id"] != new["id"]
    found = json.loads((await jp_fetch(*path, params={"query": "lighthouse"})).body)["chats"]
    assert {each["id"] for each in found} == {chat_id, accepted["chat_id"]}
    again = {"type": "continue", "message_id": after[1]["id"], "request_id": str(uuid.uuid4())}
    services.models.forget("scripted")
    services.models.register("scripted", lambda name: ScriptedHandler([" and the rest"]))
    await page.send({"type": "open", "chat_id": chat_id})
    await page.send(again | {"model": "scripted:b"})
    await page.until("accepted")
    ended = await page.end_of(after[1]["id"])
    assert ended["state"] == "completed"
    assert page.text(after[1]["id"]) == "Half a lighthouse and the rest"


async def test_a_bad_file_changes_nothing(app: Any, jp_fetch: Any) -> None:
    for body in ("", "{}", '{"chat": {}, "messages": [{}]}'):
        with pytest.raises(HTTPClientError) as refused:
            await jp_fetch("api", "stop-chat", "chats", method="POST", body=body)
        assert refused.value.code == 400
        assert set(json.loads(refused.value.response.body)) <= {"code", "message", "field"}
    assert json.loads((await jp_fetch("api", "stop-chat", "chats")).body) == {"chats": []}


async def test_an_empty_chat_is_imported(app: Any, jp_fetch: Any) -> None:
    body = json.dumps({"chat": {"title": "Empty"}, "messages": []})
    await jp_fetch("api", "stop-chat", "chats", method="POST", body=body)
    listed = json.loads((await jp_fetch("api", "stop-chat", "chats")).body)["chats"]
    assert [chat["title"] for chat in listed] == ["Empty"]


async def test_who_follows_a_deleted_chat_is_told(app: Any, connect: Any, jp_fetch: Any) -> None:
    """L12: what ran there is stopped first; nothing of the chat is heard afterwards."""
    services = await app.services()
    app.titles = "prompt"
    services.models.register("scripted", lambda name: ScriptedHandler(["Some", Gate()]))
    follower, other = await connect(), await connect()
    accepted = await follower.ask(model="scripted:x")
    await follower.until("delta")
    await jp_fetch("api", "stop-chat", "chats", accepted["chat_id"], method="DELETE")
    for page in (follower, other):
        gone = await page.until("chat", lambda frame: frame.get("deleted") is True)
        assert gone["chat"]["id"] == accepted["chat_id"]
    ended = [f["message"] for f in follower.frames if f["type"] == "message"][-1]
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "deleted")
    assert services.engine.bus.listeners == 2
    await follower.send({"type": "open", "chat_id": accepted["chat_id"]})
    assert (await follower.until("error"))["code"] == "unknown_chat"


CALL = Told(3, 4, "call_1", "look", '{"x": 1}', "completed", "42")


def test_tool_calls_go_along() -> None:
    """N11: whole, in JSON alone, and with the new ids of their messages."""
    chat, said = _read(GOOD)
    calls = {said[1].id: [CALL, replace(CALL, step=3, at=2), replace(CALL, step=9, at=10**12)]}
    written = json.loads(export(chat, said, "json", calls={**calls, IDS[0]: [CALL]}))
    assert list(written["calls"]) == [said[1].id]
    assert "42" not in export(chat, said, "md", calls=calls)
    read = read_chat(json.dumps(written).encode(), "ada", 1000)
    (kept,) = read.calls.values()
    assert list(read.calls) == [read.messages[1].id]
    assert [(each.step, each.at) for each in kept] == [(1, 4), (1, 4), (2, MAX_IMPORT_BYTES)]
    assert (kept[0].name, kept[0].args, kept[0].result) == ("look", '{"x": 1}', "42")


@pytest.mark.parametrize("wrong", [{"state": "unheard"}, {"args": None}, {"at": "x"}, {"name": 3}])
def test_wrong_tool_calls_are_refused(wrong: dict[str, Any]) -> None:
    """P1: nothing in the file is trusted."""
    chat, said = _read(GOOD)
    written = json.loads(export(chat, said, "json", calls={said[1].id: [CALL]}))
    written["calls"][said[1].id][0] |= wrong
    with pytest.raises(StopChatError) as raised:
        read_chat(json.dumps(written).encode(), "ada", 1000)
    assert raised.value.code is ErrorCode.INVALID_FIELD
