"""A generation beside any engine, for tests of what it does by itself."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.engine.pending import Pace
from jupyter_stop_chat.threads import Then, tell
from jupyter_stop_chat.wire.objects import Message, MessageState
from jupyter_stop_chat.wire.tools import ToolCall

WHEN = "2026-01-01T00:00:00Z"


class Kept:
    """What takes what a generation commits, and hear what it tells.

    :ivar wait: awaited before each commit.
    :ivar committing: what is being committed, or was last.
    """

    def __init__(self) -> None:
        self.committing: asyncio.Future[None]
        self.committed: list[tuple[str, str]] = []
        self.shown: list[str] = []
        self.tools: list[Any] = []
        self.wait: Any = None
        self.error: Exception | None = None

    def append_then(self, message_id: str, text: str, part: str, then: Then) -> None:
        """Commit, and tell."""
        self.committing = asyncio.ensure_future(self.append(message_id, text, part))
        self.committing.add_done_callback(partial(tell, then))

    async def append(self, message_id: str, text: str, part: str) -> None:
        """Commit."""
        if self.wait is not None:
            await self.wait()
        if self.error is not None:
            raise self.error
        self.committed.append((part, text))

    async def put_tool(self, message_id: str, call: ToolCall) -> None:
        """Commit a tool call."""
        await self.append(message_id, f"{call.call_id} {call.state}", "tool")

    async def make_thought(self, message_id: str, begin: int) -> None:
        """Commit that text was a thought."""
        await self.append(message_id, f"from {begin}", "thought")


def a_generation(
    kept: Kept | None = None, *, max_length: int = 1_000_000, **message: Any
) -> Generation:
    """Make a generation of a message."""
    kept = kept or Kept()
    text = message.pop("text", "")
    return Generation(
        Message(
            id="00000000-0000-4000-8000-000000000002",
            chat_id="00000000-0000-4000-8000-0000000000c0",
            role="assistant",
            text=text,
            text_length=len(text.encode("utf-16-le")) // 2,
            state=message.pop("state", MessageState.GENERATING),
            created_at=WHEN,
            **message,
        ),
        owner="ada",
        request_id="00000000-0000-4000-8000-000000000009",
        append=kept.append_then,
        put_tool=kept.put_tool,
        make_thought=kept.make_thought,
        on_text=lambda made: kept.shown.append(str(made.text)),
        on_tool=lambda made, tool: kept.tools.append(tool),
        pace=Pace(0.0),
        max_length=max_length,
    )
