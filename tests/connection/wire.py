"""A client of the connection, with a fake socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from jupyter_stop_chat.connection import Connection
from jupyter_stop_chat.ports.handler import Event
from jupyter_stop_chat.wire.objects import Limits
from jupyter_stop_chat.wire.server_frames import Welcome
from tests.aids.page import Page
from tests.engine.bench import MODEL, OWNER, Bench, new_id, turns_until


class Wire:
    """The socket of one client: frames go to a page when the gate is open."""

    def __init__(self, bench: Bench, owner: str = OWNER, **options: Any) -> None:
        self.page = Page()
        self.open = asyncio.Event()
        self.open.set()
        self.closed: tuple[int, str] | None = None
        self.sizes: list[int] = []
        self.wrong: Exception | None = None
        welcome = Welcome(
            epoch=bench.engine.epoch,
            user="Ada",
            limits=Limits(max_prompt_length=1000, max_reply_length=1_000_000),
        )
        self.connection = Connection(
            bench.engine, owner, welcome, self._write, self._close, **options
        )

    async def _write(self, text: str) -> None:
        await asyncio.sleep(0)
        await self.open.wait()
        self.sizes.append(len(text))
        try:
            self.page.show(json.loads(text))
        except Exception as error:
            self.wrong = error
            raise

    def _close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def send(self, type_: str, **fields: Any) -> None:
        """Send a frame."""
        self.connection.receive(json.dumps({"type": type_, **fields}))

    async def until(
        self,
        type_: str,
        where: Callable[[dict[str, Any]], bool] = lambda frame: True,
        skip: int = 0,
    ) -> dict[str, Any]:
        """Wait for a frame."""

        def found() -> list[dict[str, Any]]:
            return [
                each for each in self.page.frames[skip:] if each["type"] == type_ and where(each)
            ]

        await turns_until(lambda: self.wrong is not None or bool(found()))
        assert self.wrong is None
        return found()[0]

    async def ask(self, chat_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """Send a prompt and wait until it is accepted."""
        request_id = fields.pop("request_id", None) or new_id()
        self.send("send", request_id=request_id, chat_id=chat_id, body="Hi", **fields)
        return await self.until("accepted", lambda frame: frame["request_id"] == request_id)

    async def opens(self, chat_id: str, **fields: Any) -> dict[str, Any]:
        """Open a chat and wait for the answer."""
        skip = len(self.page.frames)
        self.send("open", chat_id=chat_id, **fields)
        return await self.until("chat", lambda frame: "messages" in frame, skip)

    async def end_of(self, message_id: str) -> dict[str, Any]:
        """Wait for the last state of a message."""
        await turns_until(
            lambda: (
                self.wrong is not None
                or (message_id in self.page.messages and self.page.messages[message_id].ended)
            )
        )
        assert self.wrong is None
        ends = [
            frame["message"]
            for frame in self.page.of_type("message")
            if frame["message"]["id"] == message_id
        ]
        return ends[-1]  # type: ignore[no-any-return]

    async def idle(self) -> None:
        """Wait until there is nothing to write."""
        outbox = self.connection._outbox
        await turns_until(lambda: self.wrong is not None or not _busy(outbox))
        assert self.wrong is None


def _busy(outbox: Any) -> bool:
    waits = outbox._writing or outbox._answers or outbox._chats or outbox._stopped or outbox._ready
    return bool(waits or outbox._openings)


def feed(bench: Bench, message_id: str, *events: Event | str | None) -> None:
    """Let a reply say something; None ends it."""
    bench.handlers[MODEL].feed(message_id, *events)  # type: ignore[attr-defined]


async def shows(bench: Bench, message_id: str, text: str) -> None:
    """Wait until the engine shows that text of a reply."""
    generation = bench.engine.generation(message_id)
    assert generation is not None
    await turns_until(lambda: str(generation.text) == text)
