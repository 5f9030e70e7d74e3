"""Providers that are broken or hostile: what they send ends a reply, and holds up nobody."""

from __future__ import annotations

import zlib

import pytest

from jupyter_stop_chat.chat_handlers.hearing import bounds
from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.chat_handlers.hearing.bodies import chunk
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading, nothing_left, soon
from tests.providers.wire_server import WireProvider

STREAM = b"HTTP/1.1 200 OK\nContent-Type: text/event-stream\nThen: hold\n"
JSON = b"HTTP/1.1 200 OK\nContent-Type: application/json\nThen: hold\n"
GZIP = b"Content-Encoding: gzip\n"
MUCH = bounds.LONGEST + 4 * 65536


def packed(*parts: bytes, times: int = 1) -> bytes:
    """Return what unpacks to much."""
    data = b"".join(parts)
    for _ in range(times):
        packing = zlib.compressobj(9, zlib.DEFLATED, 31)
        data = packing.compress(data) + packing.flush()
    return data


#: What is sent, and whether a word comes before it. Behind it the connection stays open.
SENT = {
    "packed": (STREAM + GZIP + b"\n" + packed(chunk("Hello"), b"\0" * 24_000_000), True),
    "an event without an end": (STREAM + b"\n" + chunk("Hello") + b"x" * MUCH, True),
    "lines": (STREAM + b"\n" + chunk("Hello") + b"data: {}\n" * 100_000 + b"\n", True),
    "parts": (
        STREAM + b"\n" + chunk("Hello") + b"data: [" + b"{}," * 1_000_000 + b"1]\n\n",
        True,
    ),
    "a whole answer": (JSON + b'\n{"choices": [' + b"{}, " * (MUCH // 4), False),
    "a packed answer": (
        JSON + GZIP + b"\n" + packed(b'{"choices": ["' + b"x" * MUCH),
        False,
    ),
    "packed twice": (
        STREAM + b"Content-Encoding: gzip, gzip\n\n" + packed(b"\0" * MUCH, times=2),
        False,
    ),
}
_REFUSED = b"HTTP/1.1 401 No\nContent-Type: application/json\nThen: hold\n"
_BEGIN = b'{"error": {"message": "'
LONG_ERRORS = {
    "plain": _REFUSED + b"\n" + _BEGIN + b"no " * 700_000,
    "packed": _REFUSED + GZIP + b"\n" + packed(_BEGIN, b"no " * 8_000_000),
}


@pytest.mark.parametrize("name", SENT)
async def test_what_no_model_sends_is_the_provider_s_fault(name: str) -> None:
    """L5, V1, V10: the text before it is kept, and the connection closed; the watchdog looks."""
    sent, begins = SENT[name]
    async with WireProvider() as provider:
        handler = LangChainHandler(make_model("openai", f"{provider.url}/v1"))
        provider.answers = [sent]
        reading = Reading(handler)
        error = await reading.end()
        assert isinstance(error, StopChatError), repr(error)
        assert error.code is ErrorCode.PROVIDER_FAILED
        assert reading.text == ("Hello" if begins else "")
        await soon(provider.gone)
        await handler.close()
    await nothing_left()


@pytest.mark.parametrize("kind", ["openai", "responses", "anthropic", "ollama"])
@pytest.mark.parametrize("how", LONG_ERRORS)
async def test_of_an_error_only_its_begin_is_read(kind: str, how: str) -> None:
    """T10, V10: its status says what it is, however long it is."""
    async with WireProvider() as provider:
        root = "/v1" if kind in {"openai", "responses"} else ""
        handler = LangChainHandler(make_model(kind, provider.url + root))
        provider.answers = [LONG_ERRORS[how]]
        error = await Reading(handler).end()
        assert isinstance(error, StopChatError), repr(error)
        assert error.code is ErrorCode.KEY_REFUSED
        await soon(provider.gone)
        await handler.close()
    await nothing_left()
