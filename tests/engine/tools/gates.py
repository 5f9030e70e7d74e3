"""A gate of one reply, and what keeps what goes through it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.engine.tools.bounds import ToolLimits
from jupyter_stop_chat.engine.tools.gate import ToolGate
from jupyter_stop_chat.ports.tools import (
    Change,
    ChangeState,
    Told,
    Tool,
    Wanted,
)
from tests.aids.generations import a_generation
from tests.aids.tool_calls import NoPages, Person, a_tool


class Kept:
    """What keeps calls and changes, in the order in which it is told of them."""

    def __init__(self) -> None:
        self.calls: dict[int, Told] = {}
        self.order: list[str] = []
        self.noted: list[Change] = []
        self.marked: dict[int, ChangeState] = {}

    async def put(self, message_id: str, n: int, call: Told) -> None:
        self.calls[n] = call
        self.order.append(f"{n} {call.state}")

    async def of(self, message_ids: Sequence[str]) -> dict[str, list[Told]]:
        return {each: list(self.calls.values()) for each in message_ids}

    async def note(self, message_id: str, call_id: str, change: Change) -> int:
        self.noted.append(change)
        return len(self.noted)

    async def mark(self, message_id: str, states: Any) -> None:
        self.marked.update(states)

    async def changes(self, message_id: str) -> list[Any]:
        return []


def a_gate(
    *tools: Tool, person: Any = None, generation: Generation | None = None, **more: Any
) -> tuple[ToolGate, Kept, Generation]:
    kept, generation = Kept(), generation or a_generation()
    limits = ToolLimits(**more)
    person = person or Person()
    gate = ToolGate(generation, tools, kept, kept, person, NoPages(), limits, lambda work: None)
    return gate, kept, generation


def wanted(*numbers: int, name: str = "act") -> list[Wanted]:
    return [Wanted(f"call_{each}", name, json.dumps({"x": each})) for each in numbers]


def raising(error: BaseException) -> Tool:
    async def run(call: Any, args: Any) -> Any:
        raise error

    return a_tool(run)
