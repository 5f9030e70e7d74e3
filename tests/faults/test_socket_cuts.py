"""A network that cuts the socket again and again: every text comes whole in the end."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.aids.fed import Fed
from tests.aids.page import Page
from tests.faults.proxy import BadProxy

CHATS = 8
WORDS = (
    "word ",
    "n\u00e9 ",
    "\U0001f5fc",
    "e\u0301\u0302",
    "\U0001f469\u200d\U0001f680 ",
    "x" * 300,
)


class Tab:
    """A page that is cut off and comes back, with what it had."""

    def __init__(self, url: str, token: str, model: Fed, chance: random.Random) -> None:
        self.page = Page()
        self.page.keeps = False
        self.model = model
        #: Requests that have not been accepted yet are sent again on each connection.
        self.asking = {str(uuid.uuid4()) for _ in range(CHATS)}
        self._request = HTTPRequest(url, headers={"Authorization": f"token {token}"})
        self._chance = chance

    async def live(self, *, to_the_end: bool = False) -> None:
        """Connect, and read until the socket is cut, or until every reply has ended."""
        try:
            socket = await websocket_connect(self._request, ping_interval=None)
        except Exception:
            return  # cut before it was there
        try:
            await self._begin(socket)
            while (raw := await socket.read_message()) is not None:
                frame = json.loads(raw)
                if frame["type"] == "accepted":
                    self.asking.discard(frame["request_id"])
                self.page.show(frame)
                assert frame["type"] != "error", frame
                await self._open(socket, list(self.page.incomplete))
                if to_the_end and self._is_whole():
                    return
                if not to_the_end:
                    self._say()
        finally:
            socket.close()

    async def _begin(self, socket: WebSocketClientConnection) -> None:
        for request_id in list(self.asking):
            frame = {"type": "send", "request_id": request_id, "chat_id": None, "body": "Go"}
            await _write(socket, frame | {"model": "fed:x"})
        await self._open(socket, [*{each.chat_id for each in self.page.messages.values()}])

    async def _open(self, socket: WebSocketClientConnection, chats: list[str]) -> None:
        self.page.incomplete.clear()
        for chat_id in chats:
            have = {"offsets": self.page.offsets(), "epoch": self.page.epoch}
            await _write(socket, {"type": "open", "chat_id": chat_id, **have})

    def replies(self) -> list[str]:
        """Return the ids of the replies."""
        return [key for key, each in self.page.messages.items() if each.role == "assistant"]

    def _say(self) -> None:
        """Let the models say more for as long as this page lives."""
        for message_id in self.replies():
            if self._chance.random() < 0.3:
                self.model.feed(message_id, self._chance.choice(WORDS))

    def _is_whole(self) -> bool:
        return (
            not self.asking
            and not self.page.incomplete
            and all(self.page.messages[each].ended for each in self.replies())
        )


async def _write(socket: WebSocketClientConnection, frame: dict[str, Any]) -> None:
    try:
        await socket.write_message(json.dumps(frame))
    except Exception:
        return  # cut: what follows says so


@pytest.mark.parametrize(
    "cuts",
    [100, pytest.param(2000, marks=[pytest.mark.stress, pytest.mark.timeout(900)])],
)
async def test_every_text_is_the_models_however_often_the_socket_is_cut(
    cuts: int, app: Any, connect: Any, jp_http_port: int, jp_base_url: str, jp_auth_header: Any
) -> None:
    """B5: character for character, by offsets; a prompt that is sent again counts once."""
    services = await app.services()
    model, chance = Fed(), random.Random(20_262)
    services.models.register("fed", lambda name: model)
    app.titles = "prompt"
    await connect()
    async with BadProxy(jp_http_port, chance) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}{jp_base_url}api/stop-chat/ws"
        tab = Tab(url, jp_auth_header["Authorization"].split()[-1], model, chance)
        while proxy.cuts < cuts:
            proxy.cut_after = chance.choice((chance.randrange(1, 3000), chance.randrange(30_000)))
            proxy.dribble = chance.choice((None, None, 7, 100, 1000))
            await asyncio.wait_for(tab.live(), 60)
        proxy.cut_after = proxy.dribble = None
        while tab.asking:
            await asyncio.wait_for(_accepted(tab), 60)
        for message_id in tab.replies():
            model.feed(message_id, "the end \U0001f3c1", None)
        await asyncio.wait_for(tab.live(to_the_end=True), 60)
    assert len(tab.replies()) == CHATS, "each prompt counts once"
    print(f"{proxy.cuts} cuts, {sum(map(len, model.said.values()))} characters")
    for message_id in tab.replies():
        assert tab.page.text(message_id) == model.said[message_id]
        kept = await services.store.get_message(message_id)
        assert kept.text == model.said[message_id]
        assert kept.state == "completed"
    assert services.engine.registry.empty


async def _accepted(tab: Tab) -> None:
    """Have every prompt accepted: the page may never have lived long enough."""
    socket = await websocket_connect(tab._request)
    await tab._begin(socket)
    while tab.asking:
        frame = json.loads(await socket.read_message() or "null")
        tab.page.show(frame)
        if frame["type"] == "accepted":
            tab.asking.discard(frame["request_id"])
    socket.close()
