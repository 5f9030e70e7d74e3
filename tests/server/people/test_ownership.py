"""Whose is what: on the socket and on every route of the document."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter

from jupyter_stop_chat.wire.client_frames import CLIENT_TYPES, ClientFrame
from tests.aids.in_turn import in_turn
from tests.aids.knocking import Knock, knock, nothing_is_downloaded, token
from tests.server.people.people import TWO_PEOPLE, WHICH, Belongings, Person, nameless

__all__ = ["knock", "nothing_is_downloaded"]


def _frames(chat: str, prompt: str, reply: str) -> Iterator[dict[str, Any]]:
    """Yield every type of frame, aimed at a chat, a prompt and a reply."""
    request = {"request_id": str(uuid.uuid4())}
    yield {"type": "send", "chat_id": chat, "body": "Hi", "model": "scripted:x", **request}
    for policy in ("queue", "interrupt", "reject"):
        fields = {"chat_id": chat, "body": "Hi", "model": "scripted:x", "policy": policy}
        yield {"type": "send", "request_id": str(uuid.uuid4()), **fields}
    yield {"type": "open", "chat_id": chat}
    yield {"type": "open", "chat_id": chat, "offsets": {reply: 3}, "epoch": "x"}
    wanted = [{"message_id": each, "part": "text"} for each in (reply, prompt)]
    yield {"type": "read", "chat_id": chat, "wanted": wanted, "request_id": str(uuid.uuid4())}
    yield {"type": "ping"}
    yield {"type": "close", "chat_id": chat}
    yield {"type": "stop", "message_id": reply}
    yield {"type": "stop", "message_id": reply, "shown": 0, "discard": True}
    yield {"type": "stop", "message_id": prompt}
    yield {"type": "stop", "chat_id": chat}
    yield {"type": "stop", "all": True, "press": str(uuid.uuid4())}
    for kind in ("continue", "regenerate"):
        yield {"type": kind, "message_id": reply, "request_id": str(uuid.uuid4())}
    yield {"type": "edit", "message_id": prompt, "body": "Hm", "request_id": str(uuid.uuid4())}
    yield {"type": "unqueue", "message_id": reply}
    yield {"type": "reorder", "chat_id": chat, "message_ids": [reply]}
    yield {"type": "stop", "request_id": str(uuid.uuid4())}
    yield {"type": "resume", "chat_id": chat}
    asked = {"message_id": reply, "call_id": "call_0", "digest": "0" * 64}
    yield {"type": "approve", "answer": "always", **asked}
    yield {"type": "focus", "page": str(uuid.uuid4())}
    for kind in ("tool_taken", "tool_answer"):
        yield {"type": kind, "call": "00000000-0000-4000-8000-000000000000"}


async def test_one_token_is_one_owner(knock: Knock) -> None:
    """A server's own login makes up a name for each connection: names are no key there."""
    await knock.answer("POST", "/chats", body='{"chat": {}, "messages": []}', **token(knock))
    seen = []
    for _ in range(3):
        _, told = await knock.answer("GET", "/chats", **token(knock))
        seen.append([chat["id"] for chat in told["chats"]])
    assert len(seen[0]) == 1
    assert seen == [seen[0]] * 3


def test_every_frame_and_every_id_in_it_is_tried() -> None:
    """So that no new frame, and no new field that names something, is forgotten below."""
    ids = [str(uuid.uuid4()) for _ in range(3)]
    tried = {(each["type"], name) for each in _frames(*ids) for name in each}
    assert {kind for kind, _ in tried} == set(CLIENT_TYPES)
    for name, schema in TypeAdapter(ClientFrame).json_schema()["$defs"].items():
        kind = schema["properties"].get("type", {}).get("const")
        for field, described in schema["properties"].items():
            if kind is not None and "0-9a-f" in json.dumps(described):
                assert (kind, field) in tried, f"{name}.{field}"


@TWO_PEOPLE
@in_turn("which", WHICH)
async def test_what_is_anothers_within_ones_own_chat(person: Any, annas: Any, which: str) -> None:
    """L4, J6: a frame about a chat of one's own that names another's message does nothing."""
    anna, ben = await person("anna"), await person("ben")
    hers = await annas(anna)
    turn = getattr(hers, which)
    own = {"type": "send", "request_id": str(uuid.uuid4()), "chat_id": None, "body": "Mine"}
    heard = await ben.tell(**own, model="scripted:x")
    chat_id = next(each for each in heard if each["type"] == "accepted")["chat_id"]
    told = []
    for message_id in (turn["message"]["id"], str(uuid.uuid4())):
        frames = (
            {"type": "reorder", "chat_id": chat_id, "message_ids": [message_id]},
            {"type": "open", "chat_id": chat_id, "offsets": {message_id: 1}, "epoch": "x"},
            {
                "type": "read",
                "chat_id": chat_id,
                "wanted": [{"message_id": message_id, "part": "text"}],
                "request_id": (request_id := str(uuid.uuid4())),
            },
        )
        got = [await ben.tell(**frame) for frame in frames]
        assert [each["text"] for each in got[-1][0]["pieces"]] == [""]
        told.append(nameless(json.dumps(got), [message_id, request_id]))
        assert hers.untouched()
    assert told[0] == told[1]
    assert "Secret" not in told[0]


async def _expect_unheard(anna: Person, hers: Belongings, ben: Person) -> None:
    """End what Anna has running; Ben must hear nothing of it."""
    await anna.socket.write_message(
        json.dumps({"type": "stop", "message_id": hers.running["message"]["id"]})
    )
    while (await anna.read())["type"] != "stop_result":
        pass
    assert await ben.tell(type="stop", all=True) == [
        {"type": "stop_result", "all": True, "results": []}
    ], "he heard of her reply's end"


@TWO_PEOPLE
@in_turn("which", WHICH)
async def test_what_is_anothers_answers_like_what_does_not_exist(
    person: Any, annas: Any, which: str
) -> None:
    """L4, J6: by every frame, and nothing of hers is touched, followed or told."""
    anna, ben = await person("anna"), await person("ben")
    hers = await annas(anna)
    turn = getattr(hers, which)
    theirs = (hers.chat_id, turn["user_message"]["id"], turn["message"]["id"])
    nobodys = tuple(str(uuid.uuid4()) for _ in theirs)
    for at_hers, at_nobodys in zip(_frames(*theirs), _frames(*nobodys), strict=True):
        got = [await ben.tell(**frame) for frame in (at_hers, at_nobodys)]
        requests = (at_hers.get("request_id", ""), at_nobodys.get("request_id", ""))
        told = [
            nameless(json.dumps(each), (*ids, request))
            for each, ids, request in zip(got, (theirs, nobodys), requests, strict=True)
        ]
        assert told[0] == told[1], at_hers["type"]
        assert "Secret" not in told[0]
        assert hers.untouched(), at_hers["type"]
    # Ben asked to follow it in every way; what goes on there must not reach him.
    await _expect_unheard(anna, hers, ben)


@TWO_PEOPLE
@in_turn(
    ("kind",),
    [(kind,) for kind in ("send", "open", "read", "regenerate", "continue", "edit", "reorder")],
)
async def test_who_is_refused_a_chat_does_not_follow_it(
    person: Any, annas: Any, kind: str
) -> None:
    """J6: not even between the frame and the refusal, while its owner is looked up."""
    anna, ben = await person("anna"), await person("ben")
    hers = await annas(anna)
    ids = (hers.chat_id, hers.ended["user_message"]["id"], hers.ended["message"]["id"])
    for frame in (each for each in _frames(*ids) if each["type"] == kind):
        assert [told["type"] for told in await ben.tell(**frame)] == ["error"]
    await _expect_unheard(anna, hers, ben)


@TWO_PEOPLE
async def test_a_request_id_of_anothers_is_ones_own(person: Any, annas: Any) -> None:
    """A request id is chosen by a client: two people may choose the same."""
    anna, ben = await person("anna"), await person("ben")
    hers = await annas(anna)
    request_id = hers.running["request_id"]
    (told,) = await ben.tell(type="stop", request_id=request_id)
    assert told["results"] == [{"outcome": "remembered"}]
    assert hers.untouched()
    frame = {"type": "send", "request_id": request_id, "chat_id": None, "body": "Mine"}
    heard = await ben.tell(**frame, model="scripted:x")
    accepted = next(each for each in heard if each["type"] == "accepted")
    assert accepted["message"]["id"] != hers.running["message"]["id"]
    assert accepted["user_message"]["text"] == "Mine"
    assert hers.untouched()
