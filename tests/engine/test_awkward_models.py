"""LangChain models and agents with bad habits, through the engine."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool

from jupyter_stop_chat.chat_handlers.langchain import handler as handler_module
from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.sync_bridge import SyncBridge
from jupyter_stop_chat.ports.handler import ToolStarted
from jupyter_stop_chat.testing import (
    LONE_SURROGATES,
    Block,
    Endless,
    Flag,
    Gate,
    GenerateOnlyModel,
    Raise,
    ScriptedModel,
    SyncScriptedModel,
    tool_args,
)
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MAX_SAID, MessageState, Outcome
from tests.aids.turns import until
from tests.engine.bench import MODEL, Bench, turns_until


def using(b: Bench, runnable: Any, **more: Any) -> LangChainHandler:
    b.handlers[MODEL] = handler = LangChainHandler(runnable, **more)
    return handler


@pytest.mark.parametrize("kind", [SyncScriptedModel, GenerateOnlyModel])
async def test_a_sync_model_is_let_go_at_once_and_named(bench, kind):
    """B1, B2, J3, rule 7: nothing of what the thread still makes reaches the message."""
    gate = Gate()
    b = bench()
    bridge = SyncBridge()
    using(b, kind(script=["begun ", gate, "late"]), bridge=bridge)
    accepted = await b.send()
    await gate.reached.wait()
    seen = "begun " if kind is SyncScriptedModel else ""
    await b.shown(accepted, seen)
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.INTERRUPTED
    assert result.receipt.provider == "still_finishing"
    assert result.receipt.settled_ms < 500
    assert bridge.stuck == 1
    gate.open()
    await until(lambda: bridge.stuck == 0)
    await b.quiet()
    message = await b.store.get_message(accepted.message.id)
    assert (message.text, message.stop.provider) == (seen, "closed")


async def test_too_many_stuck_threads(bench):
    """Rule 7."""
    gate = Gate()
    b = bench()
    bridge = SyncBridge(max_stuck=1)
    using(b, SyncScriptedModel(script=["x", gate]), bridge=bridge)
    accepted = await b.send()
    await b.shown(accepted, "x")
    await b.stop(message_id=accepted.message.id)
    message = await b.end(await b.send())
    assert message.error.code is ErrorCode.TOO_MANY_STUCK
    gate.open()
    await until(lambda: bridge.stuck == 0)


@pytest.mark.parametrize("kind", [ScriptedModel, SyncScriptedModel, GenerateOnlyModel])
@pytest.mark.parametrize(
    ("script", "text", "code"),
    [
        ([], "", ErrorCode.EMPTY_REPLY),
        ([" \n"], " \n", None),
        ([LONE_SURROGATES], "a � half � of a pair", None),
        (["x" * 1_000_000], "x" * 1_000_000, None),
        ([Raise(ValueError("sk-secret"))], "", ErrorCode.GENERATION_FAILED),
        (["half", Raise(ValueError("sk-secret"))], "half", ErrorCode.GENERATION_FAILED),
    ],
    ids=["empty", "white_space", "surrogates", "huge", "raises", "raises_late"],
)
async def test_what_models_make_of_a_reply(bench, kind, script, text, code):
    """L5: each has one end, in the words of the table."""
    b = bench()
    using(b, kind(script=script))
    message = await b.end(await b.send())
    assert message.text == ("" if kind is GenerateOnlyModel and code else text)
    assert (message.error and message.error.code) == code
    assert "secret" not in message.model_dump_json()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (StopChatError(ErrorCode.RATE_LIMITED, "", "wait " * 1000), "rate_limited", "wait wait"),
        (StopChatError(ErrorCode.RATE_LIMITED, "", 5), "rate_limited", ""),  # type: ignore[arg-type]
        (StopChatError(ErrorCode.RATE_LIMITED, "", " \ud800\u202e"), "rate_limited", ""),
        (StopChatError("odd"), "generation_failed", ""),  # type: ignore[arg-type]
    ],
    ids=["long", "number", "no_words", "no_code"],
)
async def test_a_failure_that_cannot_be_written_down(bench, error, code, said):
    """U2, L5: whatever a chat handler raises, its reply ends, and so does who waits for that."""
    b = bench(script=("half", Raise(error)))
    message = await b.end(await b.send())
    assert (message.state, message.text) == (MessageState.FAILED, "half")
    assert message.error.code == code
    assert (message.error.said or "").startswith(said)
    assert len(message.error.said or "") <= MAX_SAID
    assert (message.error.said is None) == (not said)


@pytest.mark.may_hold_the_loop("the model does, on purpose")
async def test_a_model_that_blocks_the_loop(bench):
    """B1: the stop arrives when the loop turns again, and wins."""
    b = bench()
    model = ScriptedModel(script=["x", Block(200), "y", Block(200), Gate()])
    using(b, model)
    accepted = await b.send()
    generation = b.engine.generation(accepted.message.id)
    await turns_until(lambda: generation.text.length > 0)
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.INTERRUPTED
    assert result.receipt.settled_ms <= 2000
    assert model.runs[0].ended.is_set()


@pytest.mark.parametrize("text", ["y", ""], ids=["words", "nothing"])
@pytest.mark.parametrize("agent", [False, True], ids=["model", "agent"])
async def test_a_model_that_never_waits(bench, text, agent):
    """B1: neither with words nor with chunks in which there is none does it hold the loop."""
    b = bench()
    model = ScriptedModel(script=["x", Endless(text, polite=False)])
    using(b, create_agent(model, []) if agent else model)
    accepted = await b.send()
    generation = b.engine.generation(accepted.message.id)
    await turns_until(lambda: generation.text.length > 0)
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.INTERRUPTED
    assert model.runs[0].ended.is_set()


async def test_a_model_that_swallows_every_cancel(bench):
    """B1: through LangChain as well."""
    gate = Gate(swallow=-1)
    b = bench(stop_deadline=0.1)
    model = ScriptedModel(script=["x", gate, "late"])
    using(b, model)
    accepted = await b.send()
    await b.shown(accepted, "x")
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.receipt.provider == "still_finishing"
    gate.open()
    await model.runs[0].ended.wait()
    await turns_until(lambda: b.engine.runaway == 0)
    assert (await b.store.get_message(accepted.message.id)).text == "x"


def test_a_fallback_for_a_stop_is_refused():
    """It would answer a stop with a second request, and bill it."""
    model = ScriptedModel().with_fallbacks(
        [ScriptedModel()], exceptions_to_handle=(BaseException,)
    )
    with pytest.raises(StopChatError) as caught:
        LangChainHandler(model)
    assert caught.value.code is ErrorCode.UNSTOPPABLE_MODEL


def agent_of(calls: list[list[Any]], *tools: Any) -> tuple[Any, ScriptedModel]:
    model = ScriptedModel(scripts=calls, script=["done"])
    return create_agent(model, list(tools)), model


@pytest.mark.parametrize("kind", ["async", "sync", "parallel"])
async def test_stop_while_a_tool_runs(bench, kind):
    """V8, S4, B8: the call has its end, no other step follows, and the next turn is valid."""
    running, go_on = Flag(), threading.Event()
    cancelled: list[str] = []

    @tool
    async def waits(what: str) -> str:
        """Wait for ever."""
        running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(what)
            raise
        return "never"

    @tool
    def blocks(what: str) -> str:
        """Block a thread."""
        running.set()
        go_on.wait(30)
        return "late"

    names = {"async": ["waits"], "sync": ["blocks"], "parallel": ["waits", "waits"]}[kind]
    calls = [ToolStarted(f"c{n}", name, tool_args(what=f"{n}")) for n, name in enumerate(names)]
    if kind == "parallel":
        pytest.importorskip("langgraph")
    b = bench()
    agent, model = agent_of([["Let me see. ", *calls]], waits, blocks)
    using(b, agent)
    accepted = await b.send("look")
    await running.wait()
    await turns_until(lambda: bool(b.engine.generation(accepted.message.id).tools))
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.INTERRUPTED
    message = await b.end(accepted)
    assert message.state is MessageState.INTERRUPTED
    assert {each.state for each in message.tools} == {"interrupted"}
    if kind == "sync":
        assert message.stop.provider == "still_finishing"
    else:
        assert cancelled
    go_on.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(model.runs) == 1, "the agent asked its model again"
    await b.end(await b.send("and now?", accepted.chat_id))
    given = model.runs[-1].messages
    assert not any(getattr(each, "tool_calls", None) for each in given)
    assert [each.type for each in given] == ["human", "ai", "human"]


async def test_a_tool_that_raises(bench):
    @tool
    async def fails() -> str:
        """Fail."""
        raise RuntimeError("sk-secret")

    b = bench()
    agent, _ = agent_of([[ToolStarted("c", "fails", "{}")]], fails)
    using(b, agent)
    message = await b.end(await b.send())
    assert message.state in {MessageState.FAILED, MessageState.COMPLETED}
    assert all(each.state != "running" for each in message.tools)
    assert message.error is None or message.error.code is ErrorCode.GENERATION_FAILED
    assert "Traceback" not in message.model_dump_json()


async def test_a_stop_before_anything_was_asked(bench, monkeypatch):
    """B2: while the client is still made, nothing runs at a provider, and the receipt says so."""
    making, go_on = threading.Event(), threading.Event()

    def make_ready(model: Any) -> None:
        making.set()
        go_on.wait(10)

    monkeypatch.setattr(handler_module, "is_ready", lambda model: False)
    monkeypatch.setattr(handler_module, "make_ready", make_ready)
    b = bench()
    model = ScriptedModel(script=["x"])
    using(b, model)
    accepted = await b.send()
    await until(making.is_set)
    (result,) = await b.stop(message_id=accepted.message.id)
    go_on.set()
    assert result.receipt.provider == "closed"
    assert model.runs == []


async def test_a_model_that_is_made_in_spite_of_a_stop_is_not_asked(
    bench: Callable[..., Bench],
) -> None:
    """What makes it may swallow the cancel."""
    b = bench()
    begun = asyncio.Event()

    async def swallow(model: str, owner: str) -> Any:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return b.handler, model

    b.engine._runner._resolve = swallow
    accepted = await b.send()
    await begun.wait()
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome == "interrupted"
    assert b.handler.replies == []
