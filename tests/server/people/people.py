"""People on one server, who is told them by name, and what one of them has."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jupyter_server.auth import IdentityProvider, User
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_stop_chat.testing import Gate, ScriptedHandler
from tests.aids.knocking import Knock, configured


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
        heard = [] if frame["type"] in {"close", "focus"} else [await self.read()]
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


#: Each of what Anna has.
WHICH = ("ended", "running", "waiting")


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


def nameless(text: str, ids: Any) -> str:
    """Leave out what differs by nature: the ids that were asked for, and who is still asked."""
    for number, each in enumerate(ids):
        if each:
            text = text.replace(each, f"<{number}>")
    return re.sub(r'"asking": \w+', "", text)
