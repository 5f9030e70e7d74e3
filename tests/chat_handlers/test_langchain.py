"""What a LangChain model is told, and what is made of its chunks: models, runnables, agents."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool

from jupyter_stop_chat.chat_handlers.base import (
    Reasoning,
    Text,
    TokensUsed,
    ToolEnded,
    ToolStarted,
    TurnMessage,
)
from jupyter_stop_chat.chat_handlers.langchain import LangChainHandler
from jupyter_stop_chat.chat_handlers.langchain_messages import INSTRUCTION, events
from jupyter_stop_chat.chat_handlers.runnables import is_graph
from jupyter_stop_chat.errors import ErrorCode, StopChatError
from jupyter_stop_chat.testing import (
    Endless,
    Gate,
    ScriptedModel,
    SyncScriptedModel,
    tool_args,
)
from tests.providers import AnthropicProvider, OpenAIProvider, Request, Script, ToolUse
from tests.providers.chat_models import make_model, make_provider
from tests.providers.reading import Reading, nothing_left, soon

# --- what it is told -----------------------------------------------------------------------


async def test_the_history_is_told_in_order() -> None:
    model = ScriptedModel(script=["ok"])
    turns = [TurnMessage("user", "a"), TurnMessage("assistant", "b"), TurnMessage("user", "c")]
    assert await Reading(LangChainHandler(model), *turns).end() is None
    assert [(each.type, each.content) for each in model.runs[0].messages] == [
        ("human", "a"),
        ("ai", "b"),
        ("human", "c"),
    ]


async def test_a_partial_reply_is_gone_on_with_by_an_instruction() -> None:
    """V9: most providers take no prefix."""
    model = ScriptedModel(script=[" and on."])
    reading = Reading(LangChainHandler(model), prefix="It goes on")
    assert await reading.end() is None
    assert reading.text == " and on."
    told = model.runs[0].messages
    assert [each.content for each in told] == ["Hello?", "It goes on", INSTRUCTION]


PARTIAL = "Once upon a time there was a king who had"


@pytest.mark.parametrize(
    ("said", "new"),
    [
        ([" three sons."], " three sons."),
        ([PARTIAL, " three sons."], " three sons."),
        ([*PARTIAL, *" three"], " three"),
        (["there was a king ", "who had three"], " three"),
        (["there was a king in France"], "there was a king in France"),
        (["Once upon a time there was a queen"], "Once upon a time there was a queen"),
        (["Once upon a time"], "Once upon a time"),
        (["had three"], "had three"),
        ([PARTIAL], ""),
    ],
    ids=["new", "all", "letters", "end", "like", "other", "unfinished", "short", "nothing"],
)
async def test_what_a_model_repeats_of_a_partial_reply_is_cut(said: list[str], new: str) -> None:
    """V9: the text is the continuation only."""
    model = ScriptedModel(script=said)
    reading = Reading(LangChainHandler(model), prefix=PARTIAL)
    assert await reading.end() is None
    assert reading.text == new


async def test_a_short_partial_reply_is_not_cut() -> None:
    model = ScriptedModel(script=["It is."])
    reading = Reading(LangChainHandler(model), prefix="I")
    await reading.end()
    assert reading.text == "It is."


async def test_anthropic_is_given_the_partial_reply_itself() -> None:
    """V9: without the white space at its end, which is refused, and is not doubled either."""
    async with AnthropicProvider(Script(tokens=[" three", " sons."])) as provider:
        handler = LangChainHandler(make_model("anthropic", provider.base_url))
        reading = Reading(handler, prefix="He had \n")
        assert await reading.end() is None
        assert reading.text == "three sons."
        assert provider.requests[0].body["messages"][-1] == {
            "role": "assistant",
            "content": "He had",
        }
        await handler.close()


async def test_anthropic_models_that_refuse_it_are_told_in_words() -> None:
    """V9: newer models take no prefix."""
    async with AnthropicProvider(Script(tokens=[" three"])) as provider:
        model = make_model("anthropic", provider.base_url)
        handler = LangChainHandler(model.model_copy(update={"model": "no-prefill"}))
        reading = Reading(handler, prefix="He had")
        assert await reading.end() is None
        assert reading.text == " three"
        assert len(provider.requests) == 2
        assert provider.requests[1].body["messages"][-1]["content"] == INSTRUCTION
        await handler.close()


# --- what is made of it --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (AIMessageChunk(content="x"), [Text("x")]),
        (AIMessageChunk(content=""), []),
        (AIMessageChunk(content=["x", {"type": "text", "text": "y"}]), [Text("x"), Text("y")]),
        (AIMessageChunk(content=[{"type": "thinking", "thinking": "h"}]), [Reasoning("h")]),
        (
            AIMessageChunk(content=[{"type": "thinking", "signature": "s", "thinking": ""}]),
            [],
        ),
        (
            AIMessageChunk(
                content=[{"type": "reasoning", "summary": [{"type": "summary_text", "text": "h"}]}]
            ),
            [Reasoning("h")],
        ),
        (AIMessageChunk(content=[{"type": "reasoning", "reasoning": "h"}]), [Reasoning("h")]),
        (
            AIMessageChunk(
                content=[{"type": "reasoning_content", "reasoning_content": {"text": "h"}}]
            ),
            [Reasoning("h")],
        ),
        (
            AIMessageChunk(content="x", additional_kwargs={"reasoning_content": "h"}),
            [Reasoning("h"), Text("x")],
        ),
        (AIMessageChunk(content=[{"type": "tool_use", "id": "1", "input": {}}]), []),
        (AIMessageChunk(content=[{"type": "text"}, {"no": "type"}]), []),
        (AIMessage(content="whole"), [Text("whole")]),
    ],
)
def test_content_of_every_shape(message: BaseMessage, expected: list[Any]) -> None:
    assert list(events(message)) == expected


async def test_usage_is_summed_and_told_once() -> None:
    """B9."""
    model = ScriptedModel(script=["a", TokensUsed(5, 0), "b", TokensUsed(0, 2)])
    reading = Reading(LangChainHandler(model))
    assert await reading.end() is None
    assert reading.usage == [TokensUsed(5, 2)]
    assert reading.events[-1] == TokensUsed(5, 2)


# --- runnables -----------------------------------------------------------------------------


async def test_any_runnable_replies_but_nobody_vouches_for_it() -> None:
    """B2: the receipt says that the close could not be confirmed, rather than to guess."""
    gate = Gate()
    model = ScriptedModel(script=["a", "b", gate])
    reading = Reading(LangChainHandler(model | StrOutputParser()))
    await soon(gate.reached)
    assert reading.text == "ab"
    assert await reading.stop() == "cancelled"
    assert reading.reports == ["started"]
    assert model.runs[0].ended.is_set()


async def test_an_administrator_may_vouch_for_a_runnable() -> None:
    """B2."""
    gate = Gate()
    handler = LangChainHandler(ScriptedModel(script=["a", gate]) | StrOutputParser(), closes=True)
    reading = Reading(handler)
    await soon(gate.reached)
    assert await reading.stop() == "cancelled"
    assert reading.reports == ["started", "closed"]


async def test_a_model_with_bound_arguments_is_still_a_model() -> None:
    model = ScriptedModel(script=["a"])
    reading = Reading(LangChainHandler(model.bind(temperature=0)))
    assert await reading.end() is None
    assert reading.reports == ["started", "closed"]


def _nested_in_closure(inner: Any) -> Any:
    async def ask(messages: Any) -> Any:
        return await inner.ainvoke(messages)

    return RunnableLambda(ask)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: inner,
        lambda inner: inner | StrOutputParser(),
        lambda inner: inner.bind(temperature=0),
        lambda inner: RunnableParallel(one=inner),
        lambda inner: inner.with_retry(),
        lambda inner: StrOutputParser().with_fallbacks([inner]),
        _nested_in_closure,
        lambda inner: create_agent(inner, []),
    ],
    ids=["bare", "sequence", "bound", "parallel", "retry", "fallback", "closure", "agent"],
)
def test_fallbacks_that_take_a_stop_for_a_failure_are_refused(wrap: Any) -> None:
    """B1, V1: they would begin a second, billed request when the first is stopped."""
    model = ScriptedModel(script=["a"])
    for kind in (BaseException, asyncio.CancelledError):
        bad = model.with_fallbacks([ScriptedModel()], exceptions_to_handle=(kind,))
        with pytest.raises(StopChatError) as caught:
            LangChainHandler(wrap(bad))
        assert caught.value.code is ErrorCode.UNSTOPPABLE_MODEL
    LangChainHandler(wrap(model.with_fallbacks([ScriptedModel()])))


async def test_good_fallbacks_go_on_after_an_error_and_not_after_a_stop() -> None:
    """B1, V1: whatever fallbacks may stay, a stopped request is not made again elsewhere."""
    gate = Gate()
    second = ScriptedModel(script=["second"])
    handler = LangChainHandler(ScriptedModel(script=[gate, "first"]).with_fallbacks([second]))
    reading = Reading(handler)
    await soon(gate.reached)
    assert await reading.stop() == "cancelled"
    assert second.runs == []


# --- agents --------------------------------------------------------------------------------


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


@pytest.mark.parametrize("kind", ["openai", "anthropic", "ollama"])
async def test_a_limit_reaches_the_model(kind: str) -> None:
    """T12: by the name that its server knows."""
    async with make_provider(kind) as provider:
        handler = LangChainHandler(make_model(kind, provider.base_url))
        reading = Reading(handler)
        reading.turn.parameters = {"max_tokens": 24}
        assert await reading.end() is None
        body = provider.requests[0].body
        assert (body.get("options", {}).get("num_predict") or body.get("max_tokens")) == 24
        again = Reading(handler)
        assert await again.end() is None
        assert "num_predict" not in provider.requests[1].body.get("options", {})
        assert provider.requests[1].body.get("max_tokens") != 24
        await handler.close()
