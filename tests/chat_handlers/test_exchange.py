"""A model that is offered tools: its calls whole or cut off, and what it is told of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.messages import SystemMessage as System

from jupyter_stop_chat.chat_handlers.hearing import Hearing
from jupyter_stop_chat.chat_handlers.hearing.dialects import hear_event
from jupyter_stop_chat.chat_handlers.langchain import handler as handlers
from jupyter_stop_chat.chat_handlers.langchain import retrying
from jupyter_stop_chat.chat_handlers.langchain.exchange import LEFT_OUT, Step, uses_tools
from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.langchain.messages import GO_ON, INSTRUCTION, Tally, history
from jupyter_stop_chat.chat_handlers.langchain.trimming import fitted, size_of
from jupyter_stop_chat.ports.handler import (
    Finished,
    Retrying,
    TokensUsed,
    ToolStarted,
    TurnMessage,
)
from jupyter_stop_chat.ports.tools import Told, Tool, ToolResult, Wanted
from jupyter_stop_chat.testing import GenerateOnlyModel, ScriptedModel, SyncScriptedModel
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.aids.tool_calls import Acting, a_tool
from tests.providers import Script, ToolUse
from tests.providers.chat_models import MODELS, make_model, make_provider
from tests.providers.reading import Reading
from tests.providers.strict import check_anthropic, check_chat, check_responses, pairs, refusal


class Noting:
    """A gate that lets all through, and notes what came.

    :ivar came: the calls, by answers.
    """

    def __init__(self, *tools: Tool) -> None:
        self.tools: Sequence[Tool] = tools or (a_tool(Acting()),)
        self.came: list[list[Wanted]] = []
        self.steps = 0

    def step(self) -> None:
        self.steps += 1

    async def run(self, calls: Sequence[Wanted]) -> list[ToolResult]:
        self.came.append(list(calls))
        return [ToolResult(f"answer to {each.name}", not each.whole) for each in calls]


async def made_by(kind: str, *scripts: Script, gate: Noting | None = None, **turn: Any) -> Any:
    """Have a reply made; return how it was read, its gate, and what the provider was sent."""
    gate = gate or Noting()
    async with make_provider(kind) as provider:
        provider.scripts.extend(scripts)
        handler = LangChainHandler(make_model(kind, provider.base_url))
        reading = Reading(handler, gate=gate, **turn)
        error = await reading.end()
        await handler.close()
        return reading, gate, [each.body for each in provider.requests], error


@pytest.mark.parametrize("kind", MODELS)
async def test_calls_come_as_the_model_wrote_them(kind: str) -> None:
    """N1, N11: with their raw arguments, in their order, and each with its answer."""
    calls = [ToolUse("act", {"x": 1}, "call_1"), ToolUse("act", {"x": 2}, "call_2")]
    first = Script(tokens=["Look", "ing."], tool_calls=calls)
    reading, gate, sent, error = await made_by(kind, first, Script(tokens=["Seen."]))
    assert error is None
    assert reading.text == "Looking.\n\nSeen."
    ((one, two),) = gate.came
    assert [json.loads(each.args) for each in (one, two)] == [{"x": 1}, {"x": 2}]
    assert one.whole
    assert two.whole
    assert gate.steps == 2
    assert [answer for _, answer in pairs(sent[1])] == ["answer to act"] * 2
    assert reading.usage == [TokensUsed(7, 2), TokensUsed(7, 1)]
    assert reading.reports == ["started", "closed", "started", "closed"]


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        ("openai", Script(tokens=1, finish="length")),
        ("openai", Script(tokens=1, finish="content_filter")),
        ("openai", Script(tokens=1, ends_early=True)),
        ("anthropic", Script(tokens=1, finish="max_tokens")),
        ("anthropic", Script(tokens=1, ends_early=True)),
        ("responses", Script(tokens=1, filtered=True)),
    ],
)
async def test_what_was_cut_off_is_not_whole(kind: str, script: Script) -> None:
    """N16: also where its arguments are whole by themselves; the model is not asked again."""
    script.tool_calls = [ToolUse("act", {"x": 1}), ToolUse("act", raw='{"x": "two', call_id="b")]
    reading, gate, sent, error = await made_by(kind, script)
    assert error is None
    assert [each.whole for each in gate.came[0]] == [False, False]
    assert len(sent) == 1
    assert [each for each in reading.events if isinstance(each, Finished)]


@pytest.mark.parametrize(("done", "whole"), [(True, True), (False, False)])
def test_a_word_for_the_end_beside_every_piece_is_none(done: bool, whole: bool) -> None:
    """N16: some servers write it so; then the stream's own end tells."""
    hearing = Hearing()
    answer = hearing.begin()
    for args in ("{", '"x": 1}'):
        delta = {"tool_calls": [{"index": 0, "function": {"arguments": args}}]}
        event = {"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]}
        assert not hear_event(event, answer)
    answer.ended, answer.over = done, True
    assert Tally(hearing).came_whole is whole


async def test_what_was_thought_goes_back_with_its_calls() -> None:
    """N11: signed, as the services want it, and in front of them; with the words between."""
    first = Script(reasoning=["Hm."], tokens=["So. "], tool_calls=[ToolUse("act", {"x": 1})])
    reading, _, sent, error = await made_by("anthropic", first, Script(tokens=["Seen."]))
    assert (error, reading.reasoning) == (None, "Hm.")
    thought, text, call = sent[1]["messages"][1]["content"]
    assert thought == {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    assert (text["text"], call["type"], call["input"]) == ("So. ", "tool_use", {"x": 1})
    reading, _, sent, error = await made_by("responses", first, Script(tokens=["Seen."]))
    assert (error, reading.reasoning) == (None, "Hm.")
    kinds = [each.get("type") for each in sent[1]["input"]]
    assert kinds == ["message", "reasoning", "message", "function_call", "function_call_output"]


async def test_long_arguments_hold_nobody_up() -> None:
    """N16: of many parts, of half letters; what no tool takes is told as nothing."""
    parts = "1," * 60_000
    args = [rf'{{"x": [{parts}1], "y": "\ud800"}}', f'{{"x": [{parts * 4}1]}}']
    used = [ToolUse("act", raw=each, call_id=each[-9:]) for each in args]
    _, gate, sent, error = await made_by("openai", Script(tool_calls=used), Script(tokens=1))
    assert error is None
    assert [each.args for each in gate.came[0]] == args
    calls = sent[1]["messages"][-3]["tool_calls"]
    told = [each["function"]["arguments"] for each in calls]
    assert [len(told[0]) > 120_000, told[1]] == [True, "{}"]
    assert json.loads(told[0])["y"] == "\ufffd"


async def test_arguments_that_are_no_json_are_told_as_a_call_all_the_same() -> None:
    """N11, N16: strict services take the next request; the gate sees what was written."""
    bad = [ToolUse("functions.act now", raw='{"x": ', call_id="a b"), ToolUse("act", raw="")]
    for kind in ("openai", "anthropic", "responses"):
        script = Script(tokens=0, tool_calls=bad)
        _, gate, sent, error = await made_by(kind, script, Script(tokens=1))
        assert error is None
        ((first, second),) = gate.came
        assert (first.name, first.args) == ("functions.act now", '{"x": ')
        assert second.args == ""
        assert [name for name, _ in pairs(sent[1])] == ["functions_act_now", "act"]


@pytest.mark.parametrize(
    "raw", ["[1]", "null", '{"x": ' + "[" * 3000], ids=["list", "null", "deep"]
)
async def test_arguments_that_langchain_cannot_read_are_a_call(raw: str) -> None:
    """N16: it gives the answer up with the last word of it, and the model is told all the same."""
    script = Script(tokens=0, tool_calls=[ToolUse("act", raw=raw)])
    _, gate, sent, error = await made_by("responses", script, Script(tokens=1))
    assert error is None
    assert [(each.args, each.whole) for each in gate.came[0]] == [(raw, True)]
    assert refusal(check_responses, sent[1]) is None


@pytest.mark.parametrize("kind", ["openai", "responses", "anthropic"])
async def test_ids_that_a_model_uses_again_are_given_once(kind: str) -> None:
    """N11: in one answer, in the next, and in a reply before; services that are strict take it."""
    twice = [ToolUse("act", {"x": 1}, "call_1"), ToolUse("act", {"x": 2}, "call_1")]
    calls = twice if kind != "responses" else twice[:1]  # there LangChain takes both for one
    async with make_provider(kind) as provider:
        for script in (Script(tool_calls=calls), Script(tool_calls=twice[:1]), Script(tokens=1)):
            provider.scripts.append(script)
        handler = LangChainHandler(make_model(kind, provider.base_url))
        reading = Reading(handler, *SAID, gate=Noting())
        assert await reading.end() is None
        await handler.close()
        check = {"openai": check_chat, "responses": check_responses}.get(kind, check_anthropic)
        assert [refusal(check, each.body) for each in provider.requests] == [None] * 3
        assert len(list(pairs(provider.requests[-1].body))) == 4 + len(calls) + 1


async def test_each_request_is_tried_again_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """N15, B6: a provider that asks to wait in the middle costs no call twice."""

    async def at_once(seconds: float) -> None:
        pass

    monkeypatch.setattr(handlers, "pause", at_once)
    monkeypatch.setattr(retrying, "WAITS", (1.0,))
    first = Script(tokens=0, tool_calls=[ToolUse("act", {"x": 1})])
    reading, gate, sent, error = await made_by(
        "openai", first, Script(trouble="overloaded"), Script(tokens=["Seen."])
    )
    assert error is None
    assert [each.attempt for each in reading.events if isinstance(each, Retrying)] == [2]
    assert (len(gate.came), len(sent), reading.text) == (1, 3, "Seen.")
    assert sent[1] == sent[2]


async def test_older_answers_make_room_for_the_newest() -> None:
    """N11, N15: where the prompt alone is left, and only as many as it takes."""

    class Long(Noting):
        async def run(self, calls: Sequence[Wanted]) -> list[ToolResult]:
            await super().run(calls)
            return [ToolResult("x" * 500)]

    steps = [Script(tokens=0, tool_calls=[ToolUse("act", {"x": n}, f"c{n}")]) for n in range(3)]
    too_long = Script(trouble="context_length")
    scripts = [*steps, too_long, too_long, Script(tokens=["Seen."])]
    reading, _, sent, error = await made_by("openai", *scripts, gate=Long())
    assert (error, reading.text) == (None, "Seen.")
    answers = [[answer for _, answer in pairs(body)] for body in sent[3:]]
    long = "x" * 500
    assert answers == [[long] * 3, [LEFT_OUT, long, long], [LEFT_OUT, LEFT_OUT, long]]
    *_, error = await made_by("openai", steps[0], too_long, too_long, gate=Long())
    assert error.code is ErrorCode.CONTEXT_TOO_LONG


@pytest.mark.parametrize("make", [ScriptedModel, SyncScriptedModel, GenerateOnlyModel])
async def test_models_that_no_wire_is_heard_of_call_tools(make: Any) -> None:
    """N1, N16: their packages say how an answer ended; where nothing says so, no call runs."""
    gate = Noting()
    script = ["Look.", ToolStarted("a", "act", '{"x": 1}')]
    model = make(scripts=[script, ["Seen."]])
    reading = Reading(LangChainHandler(model), gate=gate)
    assert await reading.end() is None
    assert (reading.text, len(model.runs)) == ("Look.\n\nSeen.", 2)
    assert gate.came == [[Wanted("a", "act", '{"x": 1}')]]


async def test_a_model_without_tools_is_told_of() -> None:
    """N1: in a list where its package says so, else by its provider, each time it is asked."""
    assert uses_tools(make_model("openai", "http://127.0.0.1:9", profile={})) is None
    assert uses_tools(make_model("openai", "http://127.0.0.1:9", profile={"tool_calling": True}))
    assert uses_tools(FakeListChatModel(responses=[])) is False
    assert uses_tools(None) is False
    async with make_provider("openai") as provider:
        provider.refused = lambda request: (  # type: ignore[method-assign]
            400,
            {"error": {"message": "gemma does not support tools", "type": "api_error"}},
        )
        handler = LangChainHandler(make_model("openai", provider.base_url))
        error = await Reading(handler, gate=Noting()).end()
        assert isinstance(error, StopChatError)
        assert error.code is ErrorCode.CANNOT_USE_TOOLS
        assert handler.uses_tools is None
        await handler.close()


def a_piece(args: str, **more: Any) -> AIMessageChunk:
    piece = {"name": None, "args": args, "id": None, "index": 0, **more}
    return AIMessageChunk("w", tool_call_chunks=[piece])


async def test_arguments_without_an_end_are_not_read_for_ever() -> None:
    """N15: nor does their end hold anybody up, whatever they are."""
    step, long = Step(), a_piece("{")
    long.tool_call_chunks[0]["args"] = "]" * 600_000
    step.take(long)
    answer = step.answer(whole=True)
    assert answer is not None
    assert answer[0].tool_calls[0]["args"] == {}
    long.tool_call_chunks = [{"name": None, "args": "]" * 600_000, "id": None, "index": 0}]
    with pytest.raises(StopChatError) as raised:
        step.take(long)
    assert raised.value.code is ErrorCode.REPLY_TOO_LONG


async def test_calls_without_an_end_are_no_lines_without_an_end() -> None:
    """N15: a model that makes thousands at once is stopped before one begins."""
    calls = [ToolUse("act", {"x": n}, f"call_{n}") for n in range(101)]
    for most, ends in ((100, None), (101, ErrorCode.TOO_MANY_STEPS)):
        script = Script(tokens=0, tool_calls=calls[:most])
        _, gate, _, error = await made_by("openai", script, Script(tokens=1))
        assert (error and error.code) == ends
        assert [len(each) for each in gate.came] == ([] if ends else [100])


def test_an_answer_of_many_chunks_is_put_together() -> None:
    """N16: by the places and ids of calls, as far as a server tells them."""
    step = Step()
    step.take(a_piece("", name="act", id="a"))
    for at in range(1000):
        step.take(a_piece(str(at % 10), name="act"))
    step.take(a_piece("{}", name="act", id="b"))  # of the same place: some have but one
    step.take(a_piece("{}", name="act", id="", index=None))
    step.take(a_piece("{}", name="act", id="", index=None))
    answer = step.answer(whole=True)
    assert answer is not None
    message, wanted = answer
    assert message.content == "w" * 1004
    assert [(each.name, len(each.args)) for each in wanted] == [
        ("act", n) for n in (1000, 2, 2, 2)
    ]
    assert len({each.call_id for each in wanted}) == 4
    step.begin()
    assert step.answer(whole=True) is None
    step.take(AIMessage("no calls"))
    assert step.answer(whole=True) is None


# --- the history -----------------------------------------------------------------------------

FIRST = Told(1, 6, "call_1", "act", '{"x": 1}', "completed", "did 1")
EXCHANGE = (
    FIRST,
    Told(1, 6, "call_2", "act", '{"x": ', "failed", "The arguments are no valid JSON."),
    Told(2, 11, "call_1", "no such.tool", "[]", "interrupted", "Stopped before it began."),
)
SAID = [
    TurnMessage("user", "Do it."),
    TurnMessage("assistant", "First. Then. (Stopped.)", calls=EXCHANGE),
    TurnMessage("user", "Again."),
    TurnMessage(
        "assistant", "Well.", calls=(Told(1, 0, "call_1", "act", "{}", "refused", "No."),)
    ),
    TurnMessage("user", "And?"),
]


def as_sent(kind: str, told: list[BaseMessage]) -> Any:
    schema = {"type": "object", "properties": {}}
    tool = {"type": "function", "function": {"name": "act", "parameters": schema}}
    model = make_model(kind, "http://127.0.0.1:9").bind_tools([tool])
    return model.bound._get_request_payload(told, **model.kwargs)


@pytest.mark.parametrize(
    ("kind", "check"),
    [("openai", check_chat), ("responses", check_responses), ("anthropic", check_anthropic)],
)
def test_an_earlier_exchange_is_valid_on_the_wire(kind: str, check: Any) -> None:
    """N11: every call has an answer, each id is there once, an assistant has the last word."""
    told = history(SAID, system="Be brief.")
    assert [type(each) for each in told] == [
        System,
        *(HumanMessage, AIMessage, ToolMessage, ToolMessage, AIMessage, ToolMessage, AIMessage),
        *(HumanMessage, AIMessage, ToolMessage, AIMessage, HumanMessage),
    ]
    body = as_sent(kind, told)
    assert refusal(check, body) is None
    assert len(list(pairs(body))) == 4
    for drop in (3, 4, 6):
        assert refusal(check, as_sent(kind, [*told[:drop], *told[drop + 1 :]])) is not None


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_a_partial_reply_is_gone_on_with_behind_its_calls(kind: str) -> None:
    """N15, V9: where it ended in calls, and where it has words behind them."""
    check = check_chat if kind == "openai" else check_anthropic
    ended = history(SAID[:1], "First. ", calls=[FIRST])
    assert (ended[-1].content, refusal(check, as_sent(kind, ended))) == (GO_ON, None)
    silent = history(SAID[:1], "", calls=[FIRST])
    assert (silent[-1].content, refusal(check, as_sent(kind, silent))) == (GO_ON, None)
    more = history(SAID[:1], "First. Then I", calls=[FIRST])
    assert (more[-2].content, more[-1].content) == ("Then I", INSTRUCTION)
    assert refusal(check, as_sent(kind, more)) is None


def test_old_turns_are_left_out_with_their_calls() -> None:
    """N11: cut at a person's message only, so in pairs; what calls brought counts."""
    long = Told(1, 0, "c", "act", "{}", "completed", "x" * 40_000)
    said = [SAID[0], TurnMessage("assistant", "Well.", calls=(long,)), SAID[-1]]
    assert size_of(said) > 10_000
    assert fitted(said, 20_000) == said
    assert fitted(said, 5_000) == fitted(said, -9) == said[-1:]
