"""A chat handler whose replies act once they are allowed to, as the gate has tools act."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from jupyter_stop_chat.engine.tools.approvals import Allowed, Approvals, Refused
from jupyter_stop_chat.ports.handler import Event, Text, Turn
from jupyter_stop_chat.ports.tools import Call, Proposal, Tool, ToolResult
from jupyter_stop_chat.wire.client_frames import Approve
from jupyter_stop_chat.wire.server_frames import Accepted
from jupyter_stop_chat.wire.tools import ToolCall
from tests.engine.bench import MODEL, OWNER, Bench, turns_until


async def _run(call: Call, args: Any) -> ToolResult:
    return ToolResult("done")


def tool(name: str = "insert_cell", touches: Any = "edits") -> Tool:
    """Make a tool."""
    return Tool(name, "", {}, touches, _run)


class Acting:
    """A chat handler each of whose replies makes calls of a tool, at once.

    :ivar calls: how many.
    :ivar begun: what has begun to act: message ids with call ids.
    :ivar late: what of it had been stopped before.
    """

    def __init__(self, bench: Bench, used: Tool | None = None, *, calls: int = 1) -> None:
        self.bench = bench
        self.used = used or tool()
        self.proposal = Proposal()
        self.calls = calls
        self.begun: list[tuple[str, str]] = []
        self.late: list[str] = []
        self.answers: list[Allowed | Refused] = []
        bench.handlers[MODEL] = self

    @property
    def approvals(self) -> Approvals:
        """Return what is asked."""
        return self.bench.engine.approvals

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        """Call the tool, and say that it is done."""
        turn.provider_started()
        await asyncio.gather(*(self._act(turn, n) for n in range(self.calls)))
        yield Text("Done.")
        turn.provider_closed()

    async def _act(self, turn: Turn, n: int) -> None:
        generation = self.bench.engine.generation(turn.message_id)
        assert generation is not None
        call = ToolCall(
            call_id=f"call-{n}",
            name=self.used.name,
            state="waiting",
            args=f'{{"n": {n}}}',
            at=0,
            touches=self.used.touches,
        )
        show = generation.put_call
        answer = await self.approvals.ask(generation, call, self.used, self.proposal, show)
        self.answers.append(answer)
        if isinstance(answer, Refused):
            show(call.model_copy(update={"state": "refused", "result": answer.reason}))
            return
        if generation.stop is not None:
            self.late.append(call.call_id)
        self.begun.append((generation.id, call.call_id))
        show(call.model_copy(update={"state": "running"}))
        show(call.model_copy(update={"state": "completed"}))

    async def asked(self, accepted: Accepted, call_id: str = "call-0") -> ToolCall:
        """Wait until a call is shown as one that is asked for."""
        generation = self.bench.engine.generation(accepted.message.id)
        assert generation is not None

        def asks() -> bool:
            shown = generation.tools.get(call_id)
            return shown is not None and shown.state == "asked"

        await turns_until(asks)
        return generation.tools[call_id]

    async def close(self) -> None:
        """Have nothing to let go of."""


def approve(accepted: Accepted, call: ToolCall, answer: Any = "once", **more: Any) -> Approve:
    """Make the frame that answers what a call asks for."""
    assert call.approval is not None
    fields = {"digest": call.approval.digest} | more
    return Approve(
        type="approve",
        message_id=accepted.message.id,
        call_id=call.call_id,
        answer=answer,
        **fields,
    )


async def answer(bench: Bench, accepted: Accepted, call: ToolCall, how: Any, **more: Any) -> None:
    """Answer what a call asks for."""
    owner = more.pop("owner", OWNER)
    await bench.engine.approve(owner, approve(accepted, call, how, **more))
