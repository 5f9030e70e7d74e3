"""What tests of uploads have at hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_stop_chat.testing import ScriptedHandler
from tests.server.uploads.test_uploads import PNG


@pytest.fixture
def upload(jp_fetch: Any) -> Any:
    async def do(raw: bytes = PNG, *path: str, **query: str) -> tuple[int, Any]:
        where = path or ("blobs",)
        answered = await jp_fetch(
            *("api", "stop-chat", *where),
            method="POST", body=raw, params=query, raise_error=False,
        )  # fmt: skip
        return answered.code, json.loads(answered.body)

    return do


class Seeing(ScriptedHandler):
    """A chat handler that keeps what it is shown."""

    def __init__(self, takes: bool | None) -> None:
        super().__init__(lambda turn: ["I see."])
        self.takes_pictures = takes
        self.seen: list[list[bytes | None]] = []
        self.told: list[list[str]] = []

    async def reply(self, turn: Any) -> Any:
        self.told.append([each.text for each in turn.messages])
        shown = [picture for each in turn.messages for picture in each.pictures]
        self.seen.append([await turn.read(each) for each in shown])
        async for event in super().reply(turn):
            yield event


@pytest.fixture
def seeing(app: Any) -> Any:
    async def make(takes: bool | None = True) -> Seeing:
        app.titles = "prompt"
        handler = Seeing(takes)
        (await app.services()).models.register("scripted", lambda name: handler)
        return handler

    return make
