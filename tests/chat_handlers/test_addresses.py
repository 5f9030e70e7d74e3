"""An address that lacks `/v1`, or begins with the wrong protocol; and whole answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.models.listing import Listing
from jupyter_stop_chat.models.places import Place
from jupyter_stop_chat.ports.handler import Finished
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.aids.ports import listening
from tests.providers.answers import Answers
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading

NOTHING = [
    (404, {"detail": "Not Found"}),
    (404, "404 page not found", "text/plain"),
    (405, {"detail": "Method Not Allowed"}),
    (200, "<!doctype html><html><body>Open WebUI</body></html>"),
]


def at(address: str) -> Place:
    """Return where an OpenAI-compatible server lists its models."""
    return Place(f"{address}/models")


def below(server: Answers, nothing: Any) -> None:
    """Let an API be below `/v1` only."""
    server.answer = lambda sent: None if " /v1/" in server.lines[-1] else nothing


@pytest.mark.parametrize("nothing", NOTHING)
async def test_an_address_without_v1_is_used_with_it(nothing: Any) -> None:
    """T9: found once, and remembered."""
    async with Answers(lambda sent: None) as server:
        below(server, nothing)
        handler = LangChainHandler(make_model("openai", f"http://127.0.0.1:{server.port}"))
        for _ in range(2):
            reading = Reading(handler)
            assert await reading.end() is None
            assert reading.text == "Good day."
        paths = [line.split()[1] for line in server.lines]
        assert paths == ["/chat/completions", "/v1/chat/completions", "/v1/chat/completions"]
        await handler.close()


@pytest.mark.parametrize("nothing", NOTHING)
async def test_where_there_is_nothing_either_the_first_answer_counts(nothing: Any) -> None:
    """T9: and nothing is remembered."""
    async with Answers(lambda sent: nothing) as server:
        handler = LangChainHandler(make_model("openai", f"http://127.0.0.1:{server.port}/api"))
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError)
        assert error.code is ErrorCode.WRONG_ADDRESS
        paths = [line.split()[1] for line in server.lines]
        assert paths == ["/api/chat/completions", "/api/v1/chat/completions"]
        server.answer = lambda sent: None
        reading = Reading(handler)
        assert await reading.end() is None
        assert server.lines[-1].split()[1] == "/api/chat/completions"
        await handler.close()


async def test_an_address_that_names_a_version_is_taken_at_its_word() -> None:
    """T9, T10: a model that is not there is asked for once."""
    refusal = (404, {"error": {"message": "The model `m` does not exist", "type": "x"}})
    async with Answers(lambda sent: refusal) as server:
        handler = LangChainHandler(make_model("openai", f"http://127.0.0.1:{server.port}/v2"))
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError)
        assert error.code is ErrorCode.MODEL_NOT_FOUND
        assert len(server.lines) == 1
        await handler.close()


@pytest.mark.parametrize("nothing", NOTHING)
async def test_its_models_are_listed(nothing: Any) -> None:
    """T9, T14."""
    async with Answers(lambda sent: None) as server:
        data = (200, {"data": [{"id": "a"}]})
        server.answer = lambda sent: data if " /v1/" in server.lines[-1] else nothing
        assert list(await Listing().models(at(f"http://127.0.0.1:{server.port}"))) == ["a"]


async def test_a_port_of_tls_that_is_asked_without() -> None:
    """T9: it answers with an alert of TLS."""

    async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x15\x03\x03\x00\x02\x02\x46\r\n\r\n")
        await writer.drain()
        writer.close()

    async with listening(alert) as port:
        address = f"http://127.0.0.1:{port}/v1"
        handler = LangChainHandler(make_model("openai", address))
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError), repr(error)
        assert error.code is ErrorCode.WRONG_ADDRESS
        await handler.close()


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "model": "m",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "output": [
        {
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm."}],
        },
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Good day.", "annotations": []}],
        },
    ],
    "usage": {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 9,
    },
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "text", "text": "Good day."},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "output_tokens": 2},
}
CUT = {
    "responses": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
    "anthropic": {"stop_reason": "max_tokens"},
}


async def test_a_port_without_tls_that_is_asked_with_it() -> None:
    """T9: it answers in plain words, as most servers do."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with listening(refuse) as port:
        for kind in ("openai", "anthropic", "ollama"):
            handler = LangChainHandler(make_model(kind, f"https://127.0.0.1:{port}/v1"))
            error = await Reading(handler).end()
            assert isinstance(error, StopChatError), repr(error)
            assert error.code is ErrorCode.WRONG_ADDRESS
            await handler.close()


@pytest.mark.parametrize(("kind", "whole"), [("responses", RESPONSE), ("anthropic", MESSAGE)])
async def test_one_whole_answer_is_a_reply(kind: str, whole: dict[str, Any]) -> None:
    """T9, T1, T7: with what it thought, what it used, and how it ended; or it is called wrong."""
    async with Answers(lambda sent: (200, whole)) as server:
        root = f"http://127.0.0.1:{server.port}" + ("/v1" if kind == "responses" else "")
        handler = LangChainHandler(make_model(kind, root))
        reading = Reading(handler)
        assert await reading.end() is None
        assert (reading.text, reading.reasoning) == ("Good day.", "Hm.")
        assert [(each.input_tokens, each.output_tokens) for each in reading.usage] == [(7, 2)]
        assert not any(isinstance(each, Finished) for each in reading.events)
        server.answer = lambda sent: (200, json.dumps({**whole, **CUT[kind]}, indent=2))
        reading = Reading(handler)
        assert await reading.end() is None
        assert reading.text == "Good day."
        assert Finished("length") in reading.events
        for other in ({"hello": "world"}, [], {"choices": []}, "words"):
            server.answer = lambda sent, other=other: (200, json.dumps(other))
            error = await Reading(handler).end()
            assert isinstance(error, StopChatError), repr(error)
            assert error.code is ErrorCode.WRONG_ADDRESS
        server.answer = lambda sent: (200, {"error": {"message": "Invalid API key"}})
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError), repr(error)
        assert error.code is ErrorCode.KEY_REFUSED
        await handler.close()


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, br"])
async def test_a_packing_that_nobody_asked_for_is_a_failure(packing: str) -> None:
    """T9: and not a reply of nothing."""
    async with Answers(lambda sent: None) as server:
        more = {"Content-Encoding": packing}
        server.answer = lambda sent: (200, b"\x1b\x03\x00", "text/event-stream", more)
        # Whatever is installed here, that client reads none of them.
        headers = {"Accept-Encoding": "identity"}
        model = make_model("openai", server.base_url, default_headers=headers)
        error = await Reading(LangChainHandler(model)).end()
        assert isinstance(error, StopChatError), repr(error)
        assert error.code is ErrorCode.PROVIDER_FAILED
