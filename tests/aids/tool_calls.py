"""Tools for tests, and a person who is asked about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.engine.tools.approvals import Allowed, Refused
from jupyter_stop_chat.ports.tools import Call, PageError, Proposal, Tool, ToolResult
from jupyter_stop_chat.wire.tools import Approval, ToolCall, Touches

NUMBER = {
    "type": "object",
    "properties": {"x": {"type": "integer"}},
    "required": ["x"],
    "additionalProperties": False,
}


class Acting:
    """What has effects, and notes them with whether its reply had been stopped before.

    :ivar effects: the numbers that it was called with, in order.
    :ivar late: those of them that began after the stop.
    :ivar running: set when the tool waits for `gate`.
    """

    def __init__(self, *, waits_at: int | None = None) -> None:
        self.effects: list[int] = []
        self.late: list[int] = []
        self.running = asyncio.Event()
        self.gate = asyncio.Event()
        self.is_stopped: Callable[[], bool] = lambda: False
        self._waits_at = waits_at
        self.after: Callable[[int], None] = lambda x: None

    async def __call__(self, call: Call, args: Mapping[str, Any]) -> ToolResult:
        call.begin()
        number = int(args["x"])
        self.effects.append(number)
        if self.is_stopped():
            self.late.append(number)
        if number == self._waits_at:
            self.running.set()
            await self.gate.wait()
        self.after(number)
        return ToolResult(f"did {number}")


def a_tool(run: Any, name: str = "act", touches: Touches = "reads", **more: Any) -> Tool:
    """Make a tool that takes a number."""
    return Tool(name, "Act.", NUMBER, touches, run, **more)


class Person:
    """What is asked, and answers when a test says so.

    :ivar asked: set when a question waits.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.questions: list[ToolCall] = []
        self.answer: asyncio.Future[Allowed | Refused] | None = None

    async def ask(
        self,
        generation: Generation,
        call: ToolCall,
        tool: Tool,
        proposal: Proposal,
        show: Callable[[ToolCall], None],
    ) -> Allowed | Refused:
        """Ask."""
        if tool.touches == "reads" and not proposal.always_asked:
            return Allowed(by_rule=True)
        approval = Approval(digest="0" * 64)
        self.questions.append(call)
        show(call.model_copy(update={"state": "asked", "approval": approval}))
        self.answer = asyncio.get_running_loop().create_future()
        self.asked.set()
        return await self.answer

    def says(self, answer: Allowed | Refused) -> None:
        """Answer."""
        assert self.answer is not None
        self.answer.set_result(answer)
        self.asked.clear()


class NoPages:
    """What has no page to ask."""

    async def ask(self, *args: Any, **more: Any) -> Any:
        """Say that there is none."""
        raise PageError("no_page")
