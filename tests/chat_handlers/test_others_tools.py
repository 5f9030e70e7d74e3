"""The tools of other packages: LangChain's, as the gate takes them."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any, cast

import pytest
from langchain_core.tools import BaseTool, ToolException, tool

from jupyter_stop_chat.api import as_tool
from jupyter_stop_chat.chat_handlers import others_tools
from jupyter_stop_chat.chat_handlers.others_tools import OthersTools, find_tools
from jupyter_stop_chat.ports.tools import Tool, ToolError, ToolResult
from tests.aids.tool_calls import Acting, a_tool


class Called:
    """A call that is noted.

    :ivar stopped: from then on nothing may begin.
    """

    call_id = "call_1"

    def __init__(self) -> None:
        self.stopped = False
        self.threads: list[str] = []

    def begin(self) -> None:
        if self.stopped:
            raise asyncio.CancelledError

    async def in_thread(self, function: Any) -> Any:
        return await asyncio.to_thread(function)


@tool
async def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@tool
def where(a: int) -> dict[str, Any]:
    """Tell where."""
    return {"a": a, "thread": threading.current_thread() is not threading.main_thread()}


@tool(response_format="content_and_artifact")
async def draw(a: int) -> tuple[str, bytes]:
    """Draw."""
    return "drawn", b"..."


class Refusing(BaseTool):
    name: str = "refuse"
    description: str = "Refuse."

    def _run(self, a: int) -> str:
        raise ToolException("not today")


async def test_a_tool_of_langchains_is_one_of_ours() -> None:
    """N1: with its schema, and an answer as the model is told it; sync code in a thread."""
    ours = as_tool(add, "edits")
    assert (ours.name, ours.description, ours.touches) == ("add", "Add.", "edits")
    assert ours.parameters["required"] == ["a"]
    assert await ours.run(Called(), {"a": 1}) == ToolResult("2")
    told = await as_tool(where, "reads").run(Called(), {"a": 1})
    assert json.loads(told.text) == {"a": 1, "thread": True}
    assert await as_tool(draw, "reads").run(Called(), {"a": 1}) == ToolResult("drawn")
    with pytest.raises(ToolError, match="not today"):
        await as_tool(Refusing(), "reads").run(Called(), {"a": 1})
    with pytest.raises(ToolError, match=r"do not fit the tool: a$"):
        await ours.run(Called(), {"a": "one"})


@pytest.mark.parametrize("made", [add, where], ids=["async", "sync"])
async def test_its_first_statement_looks_for_a_stop(made: Any) -> None:
    """N9: LangChain does much before it comes to that."""
    call = Called()
    begins = 0

    def begin() -> None:
        nonlocal begins
        begins += 1
        if begins == 2:
            raise asyncio.CancelledError

    call.begin = begin  # type: ignore[method-assign]
    if made is where:
        begins = 1
    with pytest.raises(asyncio.CancelledError):
        await as_tool(made, "runs").run(call, {"a": 1})
    assert begins == 2


def _point(name: str) -> EntryPoint:
    return EntryPoint(name, f"{__name__}:{name}", others_tools.ENTRY_POINTS)


one = a_tool(Acting(), "one")
two = [as_tool(add, "reads"), "no tool"]
clash = a_tool(Acting(), "one")
bad_name = a_tool(Acting(), "not a name")


def made() -> Tool:
    return a_tool(Acting(), "made")


def broken() -> Tool:
    raise RuntimeError("-".join(["sk", "canary"]))


def exits() -> Tool:
    raise SystemExit(3)


#: Each has something that is none; what is wrong is a package's.
ODD: Any = None
no_schema = replace(one, name="no_schema", parameters=ODD)
no_json = replace(one, name="no_json", parameters={"type": "object", "default": {1}})
bad_schema = replace(one, name="bad_schema", parameters={"type": "object", "required": 5})
no_words = replace(one, name="no_words", description=ODD)
no_name = replace(one, name=ODD)
touches_all = replace(one, name="touches_all", touches=cast("Any", "all"))


async def test_packages_offer_tools(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """N1: one that is broken costs the others nothing."""
    names = ["one", "two", "clash", "bad_name", "broken", "gone", "exits", "no_schema", "no_json"]
    names += ["bad_schema", "no_words", "no_name", "touches_all", "made"]
    monkeypatch.setattr(others_tools, "entry_points", lambda group: [*map(_point, names)])
    monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.name])
    with caplog.at_level(logging.WARNING):
        offered = OthersTools(taken={"taken"})
        assert offered.found == ()
        await offered.find()
    assert [each.name for each in offered.found] == ["one", "add", "made"]
    assert len(caplog.records) == 12
    assert find_tools(taken={"one", "add", "made"}) == ()
