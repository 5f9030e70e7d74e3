"""Whose is what: on the socket and on every route of the document."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from jupyter_server.auth import Authorizer, IdentityProvider, User
from pydantic import TypeAdapter
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_stop_chat.observe.events import STOPPED_EVERYONE
from jupyter_stop_chat.server.routes import document
from jupyter_stop_chat.testing import Gate, ScriptedHandler
from jupyter_stop_chat.wire.client_frames import CLIENT_TYPES, ClientFrame
from tests.knocking import ROUTES, Knock, configured, knock, nothing_is_downloaded, token

__all__ = ["knock", "nothing_is_downloaded"]


class Named(IdentityProvider):
    """What knows people by name, as a hub does."""

    def get_user(self, handler: Any) -> User | None:  # type: ignore[override]
        name = handler.request.headers.get("X-User")
        return User(username=name) if name else None


TWO_PEOPLE = configured(identity_provider_class=Named, disable_check_xsrf=True)


class Person:
    """Somebody with a socket."""

    def __init__(self, name: str, knock: Knock, socket: WebSocketClientConnection) -> None:
        self.name = name
        self.knock = knock
        self.socket = socket

    async def read(self) -> dict[str, Any]:
        raw = await asyncio.wait_for(self.socket.read_message(), 20)
        assert raw is not None
        frame: dict[str, Any] = json.loads(raw)
        return frame

    async def tell(self, **frame: Any) -> list[dict[str, Any]]:
        """Send a frame, and return all that comes until a stop sent behind it is answered."""
        mark = str(uuid.uuid4())
        await self.socket.write_message(json.dumps(frame))
        # Answers may overtake one another: let the first be given before the mark is sent.
        heard = [] if frame["type"] == "close" else [await self.read()]
        await self.socket.write_message(json.dumps({"type": "stop", "message_id": mark}))
        while (told := await self.read()).get("message_id") != mark:
            heard.append(told)
        return heard

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        text = None if body is None else json.dumps(body)
        return await self.knock.answer(method, path, body=text, X_User=self.name)


@pytest.fixture
def person(knock: Knock) -> Callable[[str], Awaitable[Person]]:
    async def make(name: str) -> Person:
        url = f"ws://127.0.0.1:{knock.port}{knock.base_url}api/stop-chat/ws"
        socket = await websocket_connect(HTTPRequest(url, headers={"X-User": name}))
        knock.sockets.append(socket)
        made = Person(name, knock, socket)
        assert (await made.read())["type"] == "welcome"
        return made

    return make


class Belongings:
    """What Anna has: a reply that ended, one that is being made, one that waits."""

    def __init__(self, engine: Any, ended: Any, running: Any, waiting: Any) -> None:
        self.engine = engine
        self.ended = ended
        self.running = running
        self.waiting = waiting
        self.chat_id: str = running["chat_id"]

    def untouched(self) -> bool:
        """Tell whether all is as it was."""
        running = self.engine.generation(self.running["message"]["id"])
        waiting = self.engine.generation(self.waiting["message"]["id"])
        return (
            running is not None
            and waiting is not None
            and running.stop is None
            and waiting.stop is None
            and (running.state, waiting.state) == ("generating", "queued")
        )


@pytest.fixture
def annas(app: Any, person: Any) -> Callable[[Person], Awaitable[Belongings]]:
    async def make(anna: Person) -> Belongings:
        app.titles = "prompt"
        services = await app.services()
        gate = Gate()
        handler = ScriptedHandler(lambda turn: ["Done."] if len(handler.replies) == 0 else [gate])
        services.models.register("scripted", lambda name: handler)

        async def ask(chat_id: str | None) -> dict[str, Any]:
            frame = {"type": "send", "request_id": str(uuid.uuid4()), "chat_id": chat_id}
            await anna.socket.write_message(
                json.dumps(frame | {"body": "Secret", "model": "scripted:x"})
            )
            while (told := await anna.read())["type"] != "accepted":
                pass
            return told

        ended = await ask(None)
        while services.engine.generation(ended["message"]["id"]) is not None:
            await anna.read()
        running = await ask(ended["chat_id"])
        waiting = await ask(ended["chat_id"])
        await handler.next_reply(2)
        return Belongings(services.engine, ended, running, waiting)

    return make


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
    yield {"type": "stop", "all": True}
    for kind in ("continue", "regenerate"):
        yield {"type": kind, "message_id": reply, "request_id": str(uuid.uuid4())}
    yield {"type": "edit", "message_id": prompt, "body": "Hm", "request_id": str(uuid.uuid4())}
    yield {"type": "unqueue", "message_id": reply}
    yield {"type": "reorder", "chat_id": chat, "message_ids": [reply]}
    yield {"type": "stop", "request_id": str(uuid.uuid4())}
    yield {"type": "resume", "chat_id": chat}


class Everything(Authorizer):
    """What lets everyone do everything, by intent."""

    async def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:  # type: ignore[override]
        await asyncio.sleep(0)
        return True


@configured(identity_provider_class=Named, disable_check_xsrf=True, authorizer_class=Everything)
async def test_who_stopped_everyone_is_on_record(app: Any, person: Any, annas: Any) -> None:
    """J6: whose replies were stopped, and by whom; theirs are told that they were stopped."""
    recorded = StringIO()
    app.serverapp.event_logger.register_handler(logging.StreamHandler(recorded))
    anna, ben = await person("anna"), await person("ben")
    hers = await annas(anna)
    status, told = await ben.call("POST", "/interrupt", {"everyone": True})
    assert status == 200
    stopped = [each["message_id"] for each in told["results"]]
    assert stopped == [hers.running["message"]["id"]]
    assert "Secret" not in json.dumps(told)
    events = [json.loads(line) for line in recorded.getvalue().splitlines()]
    (audit,) = [each for each in events if each["__schema__"] == STOPPED_EVERYONE]
    assert (audit["by"], audit["owners"]) == ("user:ben", ["user:anna"])
    assert audit["messages"] == stopped
    while (frame := await anna.read()).get("message", {}).get("state") != "interrupted":
        pass
    assert frame["message"]["id"] == stopped[0]


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
@pytest.mark.parametrize("which", ["ended", "running", "waiting"])
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
        told.append(_nameless(json.dumps(got), [message_id, request_id]))
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
@pytest.mark.parametrize("which", ["ended", "running", "waiting"])
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
            _nameless(json.dumps(each), (*ids, request))
            for each, ids, request in zip(got, (theirs, nobodys), requests, strict=True)
        ]
        assert told[0] == told[1], at_hers["type"]
        assert "Secret" not in told[0]
        assert hers.untouched(), at_hers["type"]
    # Ben asked to follow it in every way; what goes on there must not reach him.
    await _expect_unheard(anna, hers, ben)


@TWO_PEOPLE
@pytest.mark.parametrize(
    "kind", ["send", "open", "read", "regenerate", "continue", "edit", "reorder"]
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


@TWO_PEOPLE
@pytest.mark.parametrize("which", ["ended", "running", "waiting"])
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
    bodies: dict[str, Any] = {"title": "Mine now"}
    for method, path in ROUTES:
        named = [name for name in ids if f"{{{name}}}" in path]
        got = []
        for at in (0, 1):
            where = path
            for name in named:
                where = where.replace(f"{{{name}}}", ids[name][at])
            body = bodies if method in {"PATCH", "PUT"} else None
            status, told = await ben.call(method, where, body)
            text = told if isinstance(told, str) else json.dumps(told)
            assert "Secret" not in text
            assert "anna" not in text
            got.append((status, _nameless(text, [ids[name][at] for name in named])))
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
    assert len(told["generations"]) == 2
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
}
#: A request id is its sender's own choice; an imported chat gets ids of its own.
NAMES_NOTHING = {("POST", "/generate", "request_id")}


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
@pytest.mark.parametrize(("method", "path", "field"), sorted(NAMED))
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
        if method == "GET":
            status, answered = await ben.knock.answer(
                method, path, query=f"?{field}={each}", X_User="ben"
            )
        else:
            body = {"body": "Hi", "model": "scripted:x"} if path == "/generate" else {}
            status, answered = await ben.call(method, path, body | {field: each})
        told.append((status, _nameless(json.dumps(answered), [each])))
        assert hers.untouched()
    assert told[0] == told[1]


def _nameless(text: str, ids: Any) -> str:
    """Leave out what differs by nature: the ids that were asked for, and who is still asked."""
    for number, each in enumerate(ids):
        if each:
            text = text.replace(each, f"<{number}>")
    return re.sub(r'"asking": \w+', "", text)
