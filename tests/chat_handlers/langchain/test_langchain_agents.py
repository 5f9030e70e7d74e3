"""What is made of LangChain's agents: their tools, their steps, and their stop."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.output_parsers import StrOutputParser
from langchain_core.tools import tool

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.langchain.runnables import is_graph
from jupyter_stop_chat.ports.handler import TokensUsed, ToolEnded, ToolStarted, TurnMessage
from jupyter_stop_chat.testing import Endless, Gate, ScriptedModel, SyncScriptedModel, tool_args
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.providers import OpenAIProvider, Request, Script, ToolUse
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading, nothing_left, soon


@tool
async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@tool
async def fail() -> str:
    """Fail."""
    raise ValueError("no")


def agent_of(model: Any, *tools: Any, **more: Any) -> Any:
    return create_agent(model, list(tools), **more)


async def test_an_agent_shows_its_tools() -> None:
    """J7: text, calls of tools with arguments and results, usage over all steps."""
    calls = [ToolUse("add", {"a": 1, "b": 2}), ToolUse("add", {"a": 3, "b": 4}, "call_2")]
    async with OpenAIProvider() as provider:
        provider.scripts.extend([Script(tokens=["Adding"], tool_calls=calls), Script(tokens=2)])
        handler = LangChainHandler(agent_of(make_model("openai", provider.base_url), add))
        reading = Reading(handler)
        assert await reading.end() is None
        assert reading.text == "Addingt0 t1 "
        started = [each for each in reading.events if isinstance(each, ToolStarted)]
        assert [(each.name, json.loads(each.args or "")) for each in started] == [
            ("add", {"a": 1, "b": 2}),
            ("add", {"a": 3, "b": 4}),
        ]
        ended = [each for each in reading.events if isinstance(each, ToolEnded)]
        assert sorted((each.call_id, each.result, each.failed) for each in ended) == [
            ("call_1", "3", False),
            ("call_2", "7", False),
        ]
        assert reading.usage == [TokensUsed(14, 3)]
        assert reading.reports == ["started", "closed"]
        sent = provider.requests[1].body["messages"]
        assert [each["role"] for each in sent] == ["user", "assistant", "tool", "tool"]
        await handler.close()


@pytest.mark.parametrize("busy", [False, True], ids=["waiting", "busy"])
async def test_stopping_an_agent_closes_its_model(busy: bool) -> None:
    """J7, V1: the model is deep inside the graph."""
    async with OpenAIProvider(Script(tokens=10**9, stall_after=3)) as provider:
        handler = LangChainHandler(agent_of(make_model("openai", provider.base_url), add))
        reading = Reading(handler, busy=busy, count_open=lambda: provider.open_connections)
        await soon(reading.first_text)
        request = provider.requests[0]
        await soon(request.stalled)
        assert await reading.stop() == "cancelled"
        assert reading.reports == ["started", "closed"]
        await soon(request.closed)
        assert not request.completed
        assert provider.open_connections == 0
        await handler.close()


async def test_a_cancel_is_not_lost_inside_an_agent() -> None:
    """B1, S4: the cancel reaches the graph's own task together with a chunk."""
    async with OpenAIProvider() as provider:
        handler = LangChainHandler(agent_of(make_model("openai", provider.base_url), add))
        for number in range(1, 25):
            provider.script = Script(tokens=10**9, stall_after=number % 3)
            reading = Reading(handler)
            request = await provider.next_request(number)
            await soon(request.stalled)
            for _ in range(number % 8):
                await asyncio.sleep(0)
            assert await reading.stop() == "cancelled"
        await handler.close()


async def test_an_async_tool_is_cancelled() -> None:
    """V8, B2: while a tool runs; that all is closed is said once it has ended, and not before."""
    running, outcome = asyncio.Event(), []

    @tool
    async def wait() -> str:
        """Wait."""
        running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            for _ in range(20):
                await asyncio.sleep(0)  # it lets go of what it has
            outcome.append(["cancelled", *reading.reports])
            raise
        return ""

    model = ScriptedModel(script=[ToolStarted("1", "wait", "{}")])
    reading = Reading(LangChainHandler(agent_of(model, wait)))
    await soon(running)
    assert await reading.stop() == "cancelled"
    await nothing_left()
    assert outcome == [["cancelled", "started"]]
    assert reading.reports == ["started", "closed"]
    assert len(model.runs) == 1


async def test_a_sync_tool_runs_on_and_the_receipt_says_so() -> None:
    """V8, B2: nothing can stop a thread."""
    running, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    @tool
    def hold() -> str:
        """Hold."""
        loop.call_soon_threadsafe(running.set)
        release.wait(10)
        return ""

    model = ScriptedModel(script=[ToolStarted("1", "hold", "{}")])
    reading = Reading(LangChainHandler(agent_of(model, hold)))
    await soon(running)
    try:
        assert await reading.stop() == "cancelled"
        assert reading.reports == ["started", "still_finishing"]
    finally:
        release.set()


async def test_a_sync_tool_that_has_ended_is_not_held_against_it() -> None:
    """B2: evidence, not suspicion."""

    @tool
    def quick() -> str:
        """Return at once."""
        return "done"

    gate = Gate()
    model = ScriptedModel(scripts=[[ToolStarted("1", "quick", "{}")], ["a", gate]])
    reading = Reading(LangChainHandler(agent_of(model, quick)))
    await soon(gate.reached)
    assert await reading.stop() == "cancelled"
    await nothing_left()
    assert reading.reports == ["started", "closed"]


async def test_an_agent_with_a_sync_model_is_not_vouched_for() -> None:
    """B2: its thread may run on."""
    model = SyncScriptedModel(script=["a"])
    reading = Reading(LangChainHandler(agent_of(model, add)))
    assert await reading.end() is None
    assert reading.text == "a"
    assert reading.reports == ["started"]


async def test_the_flag_is_seen_between_the_steps_of_an_agent() -> None:
    """S4: no cancel; the step after the tool never asks the model."""
    reading: Reading | None = None

    @tool
    async def stopper() -> str:
        """Set the flag."""
        assert reading is not None
        reading.stopped = True
        return "stopped"

    model = ScriptedModel(scripts=[[ToolStarted("1", "stopper", "{}")], ["never"]])
    reading = Reading(LangChainHandler(agent_of(model, stopper)))
    assert await reading.end() is None
    await nothing_left()
    assert len(model.runs) == 1
    assert reading.text == ""


async def test_the_flag_is_seen_inside_one_step_of_a_graph() -> None:
    """S4: nothing leaves the graph between the stop and the request that must not be made."""
    from langgraph.graph import MessagesState, StateGraph

    model = ScriptedModel(script=["never"])
    reading: Reading | None = None

    async def step(state: MessagesState) -> dict[str, Any]:
        assert reading is not None
        reading.stopped = True
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node("step", step).set_entry_point("step").compile()
    reading = Reading(LangChainHandler(graph))
    assert await reading.end() is None
    await nothing_left()
    assert model.runs == []
    assert reading.text == ""


async def test_the_flag_is_seen_between_the_tokens_of_an_agent() -> None:
    """S4, V2."""
    model = ScriptedModel(script=[Endless("x ")])
    reading = Reading(LangChainHandler(agent_of(model, add)))
    await soon(reading.first_text)
    reading.stopped = True
    assert await reading.end() is None
    await nothing_left()
    assert model.runs[0].ended.is_set()


async def test_a_failing_tool_is_told() -> None:
    async with OpenAIProvider() as provider:
        provider.scripts.append(Script(tokens=0, tool_calls=[ToolUse("fail", {})]))
        handler = LangChainHandler(agent_of(make_model("openai", provider.base_url), fail))
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError)
        assert error.code is ErrorCode.GENERATION_FAILED
        await handler.close()


async def test_a_tool_that_was_called_wrongly_is_told_as_failed() -> None:
    """J7: the model is told of it, and so is the person."""
    model = ScriptedModel(scripts=[[ToolStarted("1", "add", tool_args(a="x", b=2))], ["Sorry."]])
    reading = Reading(LangChainHandler(agent_of(model, add)))
    assert await reading.end() is None
    assert [each.failed for each in reading.events if isinstance(each, ToolEnded)] == [True]
    assert reading.text == "Sorry."


async def test_the_turn_after_a_stopped_tool_is_valid() -> None:
    """B8: also with a checkpointer, which keeps the call of a tool that was never answered."""
    from langgraph.checkpoint.memory import InMemorySaver

    running = asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait."""
        running.set()
        await asyncio.Event().wait()
        return ""

    def script(request: Request) -> Script:
        if len(request.body["messages"]) == 1:
            return Script(tokens=["Let me"], tool_calls=[ToolUse("wait", {})])
        return Script(tokens=["Hello."])

    async with OpenAIProvider(script) as provider:
        model = make_model("openai", provider.base_url)
        handler = LangChainHandler(agent_of(model, wait, checkpointer=InMemorySaver()))
        first = Reading(handler)
        await soon(running)
        assert await first.stop() == "cancelled"
        history = [
            TurnMessage("user", "Hello?"),
            TurnMessage("assistant", "Let me"),
            TurnMessage("user", "Never mind."),
        ]
        second = Reading(handler, *history)
        second.turn.message_id = "another"
        assert await second.end() is None
        assert second.text == "Hello."
        roles = [each["role"] for each in provider.requests[1].body["messages"]]
        assert roles == ["user", "assistant", "user"]
        assert "tool_calls" not in provider.requests[1].body["messages"][1]
        await handler.close()


def test_graphs_are_known_by_their_shape() -> None:
    model = ScriptedModel()
    assert is_graph(create_agent(model, []))
    assert not is_graph(model)
    assert not is_graph(model | StrOutputParser())
