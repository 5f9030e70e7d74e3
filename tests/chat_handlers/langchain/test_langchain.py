"""What a LangChain model is told, and what is made of its chunks: models and runnables."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda, RunnableParallel

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.langchain.messages import INSTRUCTION, events
from jupyter_stop_chat.ports.handler import Reasoning, Text, TokensUsed, TurnMessage
from jupyter_stop_chat.testing import Gate, ScriptedModel
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.providers import AnthropicProvider, Script
from tests.providers.chat_models import make_model, make_provider
from tests.providers.reading import Reading, soon

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
