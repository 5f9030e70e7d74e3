"""A page with a notebook, and the person who works in it and is asked what tools may do."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from jupyter_stop_chat.ports.tools import PageError
from tests.providers import Script, ToolUse
from tests.tools.notebooks import Page

MODEL = "openai:gpt-loopback"
BOOK = "a.ipynb"
_calls = iter(range(10**9))


def uses(name: str, **args: Any) -> Script:
    """Make an answer that calls a tool."""
    return Script(tokens=["I look. "], tool_calls=[ToolUse(name, args, f"call_{next(_calls)}")])


def insert(source: str, after: str = "c1") -> Script:
    """Make an answer that inserts a cell."""
    return uses("insert_cell", path=BOOK, after=after, cell_type="code", source=source)


class Person:
    """A page with a notebook, and who works in it.

    :ivar answer: what is answered to each question; None: it is left open.
    :ivar holds: what of the page's work is left undone, and not answered.
    """

    def __init__(self, client: Any, page: Page) -> None:
        self.client = client
        self.page = page
        self.chat_id: str | None = None
        self.answer: str | None = "once"
        self.holds = ""
        self.asked: list[dict[str, Any]] = []

    async def here(self) -> None:
        """Tell that the page is there."""
        await self.client.send({"type": "focus", "page": str(uuid.uuid4())})

    async def send(self, body: str = "Do it") -> str:
        """Send a prompt in the mode Agent."""
        request_id = str(uuid.uuid4())
        fields = {"body": body, "chat_id": self.chat_id, "mode": "agent", "model": MODEL}
        await self.client.send({"type": "send", "request_id": request_id, **fields})
        accepted = await self.client.until("accepted")
        self.chat_id = accepted["chat_id"]
        message_id: str = accepted["message"]["id"]
        return message_id

    async def until(
        self, type_: str, where: Callable[[dict[str, Any]], bool] = lambda frame: True
    ) -> dict[str, Any]:
        """Do what is asked of the page, and of the person, until a frame comes."""
        while True:
            frame: dict[str, Any] = await self.client.read()
            if frame["type"] == "tool_request" and frame["operation"] != self.holds:
                await self._do(frame)
            elif frame["type"] == "tool" and frame["state"] == "asked":
                self.asked.append(frame)
                if self.answer is not None:
                    await self.say(self.answer)
            if frame["type"] == type_ and where(frame):
                return frame

    async def _do(self, frame: dict[str, Any]) -> None:
        await self.client.send({"type": "tool_taken", "call": frame["call"]})
        answer: dict[str, Any] = {"type": "tool_answer", "call": frame["call"]}
        try:
            answer["result"] = self.page.do(frame["operation"], frame["args"])
        except PageError as error:
            answer |= {"error": error.code, "result": error.result}
        answer["result"] = json.dumps(answer["result"])
        await self.client.send(answer)

    async def say(self, answer: str, **more: Any) -> None:
        """Answer what was asked last."""
        asked = self.asked[-1]
        frame = {name: asked[name] for name in ("message_id", "call_id")}
        digest = asked["approval"]["digest"]
        await self.client.send(
            {"type": "approve", **frame, "digest": digest, "answer": answer, **more}
        )

    async def end(self, message_id: str) -> dict[str, Any]:
        """Return a reply once it has ended."""
        ended = {"completed", "interrupted", "failed"}
        frame = await self.until(
            "message",
            lambda frame: (
                frame["message"]["id"] == message_id and frame["message"]["state"] in ended
            ),
        )
        message: dict[str, Any] = frame["message"]
        return message
