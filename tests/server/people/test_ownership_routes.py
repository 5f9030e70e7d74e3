"""What is another's, asked for over HTTP: it answers like what does not exist."""

from __future__ import annotations

import json
import uuid
from typing import Any

from jupyter_stop_chat.server.routes import document
from tests.aids.in_turn import in_turn
from tests.aids.knocking import ROUTES, knock, nothing_is_downloaded
from tests.server.people.people import TWO_PEOPLE, WHICH, nameless

__all__ = ["knock", "nothing_is_downloaded"]


@TWO_PEOPLE
@in_turn("which", WHICH)
async def test_every_route_answers_anothers_like_what_does_not_exist(
    person: Any, annas: Any, which: str
) -> None:
    """L4, J6: the same status and the same words, and nothing of hers is touched or told."""
    anna, ben = await person("anna"), await person("ben")
    hers = await annas(anna)
    turn = getattr(hers, which)
    ids = {
        "chat_id": (hers.chat_id, str(uuid.uuid4())),
        "message_id": (turn["message"]["id"], str(uuid.uuid4())),
    }
    title: dict[str, Any] = {"title": "Mine now"}
    instructions = {"text": "Mine now"}
    for method, path in ROUTES:
        named = [name for name in ids if f"{{{name}}}" in path]
        got = []
        for at in (0, 1):
            where = path
            for name in named:
                where = where.replace(f"{{{name}}}", ids[name][at])
            body = title if method in {"PATCH", "PUT"} else None
            if method == "PUT" and path.endswith("/instructions"):
                body = instructions
            if method == "POST" and path.endswith("/changes"):
                body = {"undone": True, "outcomes": [{"n": 0, "outcome": "put_back"}]}
            if path.endswith("/approval"):
                body = {"digest": "0" * 64, "answer": "always"}
            if path.endswith("/kernel"):
                body = {"action": "restart"}
            status, told = await ben.call(method, where, body)
            text = told if isinstance(told, str) else json.dumps(told)
            assert "Secret" not in text
            assert "anna" not in text
            got.append((status, nameless(text, [ids[name][at] for name in named])))
        assert got[0] == got[1], (method, path)
        if named:
            assert got[0][0] == 404, (method, path)
        else:
            assert hers.chat_id not in got[0][1]
        assert hers.untouched(), (method, path)
    body = {"body": "Hi", "model": "scripted:x"}
    at_hers = await ben.call("POST", "/generate", body | {"chat_id": hers.chat_id})
    at_nobodys = await ben.call("POST", "/generate", body | {"chat_id": str(uuid.uuid4())})
    assert at_hers == at_nobodys
    assert at_hers[0] == 404
    status, told = await anna.call("GET", "/generations")
    of_this_chat = [each for each in told["generations"] if each["chat_id"] == hers.chat_id]
    assert len(of_this_chat) == 2
    status, told = await anna.call("GET", f"/generations/{turn['message']['id']}")
    assert status == 200
    assert hers.untouched()


#: Every place besides a path where a route takes an id: in what is sent, and in the query.
NAMED = {
    ("POST", "/generate", "chat_id"),
    ("POST", "/interrupt", "chat_id"),
    ("POST", "/interrupt", "request_id"),
    ("GET", "/chats", "before"),
    ("GET", "/chats/{chat_id}", "before"),
    ("DELETE", "/allowed-tools", "chat_id"),
}


#: A request id is its sender's own choice; an imported chat gets ids of its own.
NAMES_NOTHING = {
    ("POST", "/generate", "request_id"),
    # Of what is shown, not of whose it is.
    ("POST", "/messages/{message_id}/calls/{call_id}/approval", "digest"),
}


def test_every_id_that_a_route_takes_is_tried() -> None:
    """So that no new field that names something is forgotten below."""
    found = set()
    schemas = document()["components"]["schemas"]
    for path, methods in document()["paths"].items():
        for method, described in methods.items():
            for each in described.get("parameters", []):
                if each["in"] == "query" and "0-9a-f" in json.dumps(each["schema"]):
                    found.add((method.upper(), path, each["name"]))
            body = json.dumps(described.get("requestBody", {}))
            for name, schema in schemas.items():
                if f'schemas/{name}"' in body and name != "ImportRequest":
                    for field, told in schema["properties"].items():
                        if "0-9a-f" in json.dumps(told):
                            found.add((method.upper(), path, field))
    assert found == NAMED | NAMES_NOTHING


@TWO_PEOPLE
@in_turn(("method", "path", "field"), sorted(NAMED))
async def test_an_id_of_anothers_in_what_is_sent_or_asked(
    person: Any, annas: Any, method: str, path: str, field: str
) -> None:
    """L4, J6: it is answered like one of nobody's, and nothing is touched or told."""
    anna, ben = await person("anna"), await person("ben")
    own = {"chat": {"title": "Mine"}, "messages": []}
    status, his = await ben.call("POST", "/chats", own)
    assert status == 201, "it is older than hers"
    hers = await annas(anna)
    named = hers.running["request_id"] if field == "request_id" else hers.chat_id
    if "{chat_id}" in path:  # a message of hers, in a chat of his own
        path, named = path.format(chat_id=his["id"]), hers.running["message"]["id"]
    told = []
    for each in (named, str(uuid.uuid4())):
        if method in {"GET", "DELETE"}:
            status, answered = await ben.knock.answer(
                method, path, query=f"?{field}={each}", X_User="ben"
            )
        else:
            body = {"body": "Hi", "model": "scripted:x"} if path == "/generate" else {}
            status, answered = await ben.call(method, path, body | {field: each})
        told.append((status, nameless(json.dumps(answered), [each])))
        assert hers.untouched()
    assert told[0] == told[1]
