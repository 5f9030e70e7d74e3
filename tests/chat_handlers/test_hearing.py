"""What is heard of an answer on the wire: rude servers, several answers, and what it costs."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langchain_core.tools import tool

from jupyter_stop_chat.chat_handlers.hearing import Hearing, hooks
from jupyter_stop_chat.chat_handlers.hearing.plain import Plain
from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.langchain.messages import Tally
from jupyter_stop_chat.ports.handler import Finished, TokensUsed
from jupyter_stop_chat.wire.errors import StopChatError
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading, nothing_left, soon
from tests.providers.wire_server import WAIT, WireProvider

HEAD = b"HTTP/1.1 200 OK\nContent-Type: text/event-stream\n"


def chunk(content: str | None = None, finish: object = None, **more: Any) -> bytes:
    delta: dict[str, Any] = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return event({**data, "choices": [choice], **more})


def event(data: object) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


async def read(
    answer: bytes, *, cut: str = "whole", head: bytes = HEAD
) -> tuple[str, str, list[Any], str | None]:
    """Return the text, the thoughts, how the reply finished, and its error's code."""
    async with WireProvider(cut) as provider:
        handler = LangChainHandler(make_model("openai", f"{provider.url}/v1"))
        provider.answers = [head + b"\n" + answer] * 4
        reading = Reading(handler)
        error = await reading.end()
        await handler.close()
        await nothing_left()
    code = error.code.value if isinstance(error, StopChatError) else error
    finished: list[Any] = [e.reason for e in reading.events if isinstance(e, Finished)]
    return reading.text, reading.reasoning, finished, code


OWN_ENDS = ["stop", "STOP", "eos", "eos_token", "end_turn", "stop_sequence", "</s>", "tool_use"]
OWN_ENDS += ["pause_turn", "COMPLETE", "other", "whatever"]
LIMITS = ["length", "MAX_TOKENS", "max_tokens", "maxOutputTokens", "model_length", "truncated"]
LIMITS += ["token_limit_reached", "context_length_exceeded", "maximum_tokens"]
NO_ENDS = ["", "null", "None", "undefined", "in_progress", 0, False]


@pytest.mark.parametrize("word", OWN_ENDS)
async def test_words_for_a_reply_s_own_end(word: str) -> None:
    """T2: also words that nobody knows."""
    assert await read(chunk("Hi") + chunk(None, word)) == ("Hi", "", [], None)


@pytest.mark.parametrize("word", LIMITS)
async def test_words_for_a_limit(word: str) -> None:
    """T1."""
    assert await read(chunk("Hi") + chunk(None, word) + DONE) == ("Hi", "", ["length"], None)


@pytest.mark.parametrize("word", NO_ENDS)
async def test_words_for_no_end(word: object) -> None:
    """T2."""
    assert await read(chunk("Hi", word) + chunk(" you", word)) == ("Hi you", "", ["cut_off"], None)


@pytest.mark.parametrize("word", ["rate_limit", "quota_exceeded", "network_error", "error"])
async def test_words_for_a_failure(word: str) -> None:
    """T4: a limit of requests is none of the reply's length."""
    text, _, finished, code = await read(chunk("Hi") + chunk(None, word) + DONE)
    assert (text, finished) == ("Hi", [])
    assert code == "provider_failed"


async def test_an_end_in_every_chunk_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """T2, T3: some servers say `stop` from the first piece on; each next one takes it back."""
    monkeypatch.setattr(hooks, "GRACE", 0.0)
    body = b"".join(chunk(word, "stop") + WAIT for word in ("One", " two", " three")) + DONE
    async with WireProvider() as provider:
        provider.answers = [HEAD + b"\n" + body]
        handler = LangChainHandler(make_model("openai", f"{provider.url}/v1"))
        reading = Reading(handler)
        await soon(reading.first_text)
        await soon(provider.waits)
        for _ in range(20):
            await asyncio.sleep(0)
        provider.go_on.set()
        assert await reading.end() is None
        assert reading.text == "One two three"
        assert not [each for each in reading.events if isinstance(each, Finished)]
        await handler.close()


THOUGHT = chunk(None).replace(b'"delta": {}', b'"delta": {"reasoning_content": "Hm."}')


@pytest.mark.parametrize("cut", ["whole", "bytes"])
@pytest.mark.parametrize(
    ("head", "pack"),
    [
        (b"application/json", False),
        (b"application/x-ndjson", False),
        (b"text/plain; charset=utf-8", False),
        (b"application/octet-stream", False),
        (b"text/event-stream\nContent-Encoding: gzip", True),
    ],
)
async def test_a_stream_by_another_name(head: bytes, pack: bool, cut: str) -> None:
    """T2, T7: an event stream is one, whatever its type says, and packed or not."""
    body = THOUGHT + chunk("Hi") + chunk(" you") + chunk(" all")
    told = await read(
        gzip.compress(body) if pack else body,
        cut=cut,
        head=b"HTTP/1.1 200 OK\nContent-Type: " + head + b"\n",
    )
    assert told == ("Hi you all", "Hm.", ["cut_off"], None)


@pytest.mark.parametrize("named", ["", " ", "Identity"])
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
async def test_a_stream_that_is_not_packed_and_says_so(kind: str, named: str) -> None:
    """T2, T7: some servers name no packing where one is named."""
    body = THOUGHT + chunk("Hi") + chunk(" you") + chunk(" all")
    head = f"HTTP/1.1 200 OK\nContent-Type: {kind}\nContent-Encoding: {named}\n"
    assert await read(body, head=head.encode()) == ("Hi you all", "Hm.", ["cut_off"], None)


async def test_an_answer_and_an_error_that_are_not_packed_and_say_so() -> None:
    """T1, T7: also where it is no stream."""
    head = b"Content-Type: application/json\nContent-Encoding: \n"
    message = {"role": "assistant", "content": "Hi"}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    whole = json.dumps({"object": "chat.completion", "choices": choices}).encode()
    assert await read(whole, head=b"HTTP/1.1 200 OK\n" + head) == ("Hi", "", [], None)
    refusal = json.dumps({"error": {"message": "No.", "code": "insufficient_quota"}}).encode()
    told = await read(refusal, head=b"HTTP/1.1 429 Too Many\n" + head)
    assert told == ("", "", [], "quota_exceeded")


@pytest.mark.parametrize("finish", ["stop", "length"])
async def test_one_whole_answer(finish: str) -> None:
    """T1, T7: where a stream was asked for."""
    message = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}
    whole = {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    body = json.dumps(whole, indent=2).replace("\n", "\n\n").encode()
    told = await read(body, head=b"HTTP/1.1 200 OK\nContent-Type: application/json\n")
    assert told == ("Hi", "Hm.", ["length"] if finish == "length" else [], None)


@pytest.mark.parametrize("cut", ["whole", "lines", "bytes"])
@pytest.mark.parametrize(
    "body",
    [
        b": OPENROUTER PROCESSING\n\n" * 3 + chunk("Hi") + b": ping\n\n" + chunk(" you", "stop"),
        event({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]})
        + chunk("Hi", content_filter_results={})
        + chunk(" you")
        + chunk(None, "stop"),
        chunk("Hi") + chunk(" you", "stop", usage={"prompt_tokens": 1, "completion_tokens": 2}),
        (chunk("Hi") + chunk(" you") + chunk(None, "stop") + DONE).replace(b"\n", b"\r\n"),
        (chunk("Hi") + chunk(" you") + chunk(None, "stop") + DONE).replace(b"\n", b"\r"),
        chunk("Hi") + chunk(" you") + event({"choices": []}) + DONE,
        chunk("Hi") + chunk(" you", "stop") + event({"choices": None, "usage": None}) + DONE,
        chunk("Hi").replace(b"data: ", b"data:") + b"id: 3\nretry: 10\n" + chunk(" you") + DONE,
        chunk("Hi", error=None) + chunk(" you", error={}) + chunk(None, "stop", error="") + DONE,
    ],
    ids=["comments", "azure", "usage", "crlf", "cr", "empty", "nulls", "bare", "errors"],
)
async def test_forms_of_a_stream(body: bytes, cut: str) -> None:
    """T2: none of these breaks off."""
    assert await read(body, cut=cut) == ("Hi you", "", [], None)


def plain(*pieces: bytes) -> list[bool]:
    """Return which pieces are taken for plain."""
    known = Plain()
    found = []
    for piece in pieces:
        found.append(known.find(piece) is not None)
        if not found[-1]:
            known.learn(piece, json.loads(piece[6:]))
    return found


def test_events_that_differ_in_their_text_alone_are_not_read() -> None:
    texts = ["Hi", " you", "", ' "quoted"', "back\\", "\n", "ünï", "\ud83d"]
    assert plain(*map(chunk, texts)) == [bool(at) and bool(text) for at, text in enumerate(texts)]


@pytest.mark.parametrize(
    "other",
    [
        chunk("Hi", "length"),
        chunk("Hi", error={"code": 502}),
        chunk("Hi", usage={"prompt_tokens": 1}),
        THOUGHT,
        chunk("Hi").replace(b'"Hi"', b'"Hi", "reasoning_content": "Hm."'),
        chunk("Hi").replace(b'"Hi"', b'[{"type": "thinking", "thinking": "Hm."}]'),
        chunk("Hi").replace(b'"Hi"', b'"", "refusal": "No."'),
        chunk("Hi").replace(b'"Hi"', b'"\\\\", "refusal": "No."'),
        chunk("Hi")[:-2] + b"\n" + chunk("Hi", "length"),
    ],
)
def test_events_that_may_say_more_are_read(other: bytes) -> None:
    known = Plain()
    known.learn(chunk("Hi"), json.loads(chunk("Hi")[6:]))
    assert known.find(chunk(" there")) == (b" there", len(chunk(" there")))
    assert known.find(other) is None


def test_what_says_more_than_text_is_not_learnt() -> None:
    for said in (chunk("Hi", "stop"), chunk("Hi", usage={"a": 1}), THOUGHT, chunk("Hi Hi", "x")):
        assert plain(said, said) == [False, False]


async def test_most_events_of_a_long_reply_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """V1: hearing costs a stream next to nothing."""
    seen = []
    heard = hooks.hear_event
    monkeypatch.setattr(hooks, "hear_event", lambda *a: seen.append(a) or heard(*a))
    words = [f"w{at} " for at in range(500)]
    body = b"".join(map(chunk, words)) + chunk(None, "length") + DONE
    assert await read(body, cut="lines") == ("".join(words), "", ["length"], None)
    assert len(seen) < 5


async def test_replies_that_share_a_client_hear_their_own_ends() -> None:
    """T1, T2, T5, T7: eight at once, over one handler, each with another end."""
    ends: Sequence[tuple[bytes, list[str], str | None]] = [
        (chunk(None, "stop") + DONE, [], None),
        (chunk(None, "length") + DONE, ["length"], None),
        (chunk(None, "content_filter") + DONE, ["content_filter"], None),
        (b"", ["cut_off"], None),
        (event({"error": {"code": 502, "message": "no"}}), [], "provider_failed"),
        (THOUGHT + chunk(None, "stop"), [], None),
        (chunk(None, "length"), ["length"], None),
        (DONE, [], None),
    ]
    async with WireProvider() as provider:
        handler = LangChainHandler(make_model("openai", f"{provider.url}/v1"))
        for _ in range(3):
            provider.go_on.clear()
            readings = []
            for at, (end, _, _) in enumerate(ends):
                provider.answers.append(HEAD + b"\n" + chunk(f"r{at}") + WAIT + end)
                readings.append(Reading(handler))
                await soon(readings[-1].first_text)
            provider.go_on.set()
            for at, (reading, (_, finish, code)) in enumerate(zip(readings, ends, strict=True)):
                error = await reading.end()
                finished = [e.reason for e in reading.events if isinstance(e, Finished)]
                assert (reading.text, finished) == (f"r{at}", finish)
                assert getattr(getattr(error, "code", None), "value", None) == code
                assert reading.reasoning == ("Hm." if at == 5 else "")
        await handler.close()
        await nothing_left()


async def test_a_stop_behind_a_reply_s_end_closes_its_connection() -> None:
    """V1, T3: while the rest of a stream is waited for."""
    async with WireProvider() as provider:
        handler = LangChainHandler(make_model("openai", f"{provider.url}/v1"))
        provider.answers = [HEAD + b"\n" + chunk("Hi") + chunk(None, "stop") + WAIT + DONE]
        reading = Reading(handler)
        await soon(provider.waits)
        await soon(reading.first_text)
        assert await reading.stop() == "cancelled"
        assert reading.reports == ["started", "closed"]
        model: Any = handler._model
        assert model.root_async_client._client._transport._pool.connections == []
        await handler.close()


@tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.mark.parametrize("finish", ["stop", "length", None])
async def test_an_agent_s_reply_ends_as_its_last_call_does(finish: str | None) -> None:
    """T1, T2, T6, T7: a call of a tool ends nothing, and what the calls used is added up."""
    asked = {"name": "add", "arguments": '{"a": 1, "b": 2}'}
    calls = [{"index": 0, "id": "call_1", "type": "function", "function": asked}]
    call = json.dumps({"content": "", "tool_calls": calls}).encode()
    used = event({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 3}})
    first = THOUGHT + chunk("").replace(b'{"content": ""}', call) + chunk(None, "tool_calls")
    last = THOUGHT + chunk("Three") + (chunk(None, finish) if finish else b"")
    async with WireProvider() as provider:
        model = make_model("openai", f"{provider.url}/v1")
        handler = LangChainHandler(create_agent(model, [add]))
        provider.answers = [HEAD + b"\n" + each + used for each in (first, last)]
        reading = Reading(handler)
        assert await reading.end() is None
        assert (reading.text, reading.reasoning) == ("Three", "Hm.Hm.")
        assert [(use.input_tokens, use.output_tokens) for use in reading.usage] == [(20, 6)]
        finished = [each.reason for each in reading.events if isinstance(each, Finished)]
        assert finished == {"stop": [], "length": ["length"], None: ["cut_off"]}[finish]
        await handler.close()


RUDE = ["1e999", "-7", '"many"', "NaN", "null", "[3]", "true", "1" + "0" * 400]


@pytest.mark.parametrize("number", RUDE)
async def test_rude_numbers_break_no_reply(number: str) -> None:
    """B9: a provider may tell anything, and twice."""
    told = f'{{"prompt_tokens": {number}, "completion_tokens": {number}, '
    told += f'"prompt_tokens_details": {{"cached_tokens": {number}}}}}'
    usage = (
        f'data: {{"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": {told}}}'
    )
    answer = chunk("Hi") + chunk(finish="stop") + f"{usage}\n\n{usage}\n\n".encode() + DONE
    assert await read(answer) == ("Hi", "", [], None)


@pytest.mark.parametrize("number", [float("inf"), -7, "many", float("nan"), None, [3], True])
def test_rude_numbers_of_a_package_count_as_none(number: Any) -> None:
    """B9: what LangChain's classes made of them is no better than what the provider told."""
    details = {"cache_read": number, "cache_creation": number}
    used = {"input_tokens": number, "output_tokens": 5, "total_tokens": number}
    chunk = AIMessageChunk(content="Hi")
    chunk.usage_metadata = {**used, "input_token_details": details, "output_token_details": number}  # type: ignore[typeddict-item]
    tally = Tally(Hearing())
    list(tally.take(chunk))
    assert tally.usage() == TokensUsed(output_tokens=5)
