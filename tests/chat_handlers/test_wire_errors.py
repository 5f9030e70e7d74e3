"""What real servers answer when they refuse, through LangChain's classes, by its code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.provider_errors import code_of_wire, limit_in
from jupyter_stop_chat.ports.handler import HistoryCut
from jupyter_stop_chat.wire.errors import StopChatError
from tests.aids.in_turn import in_turn
from tests.chat_handlers.test_trimming import thread
from tests.providers.answers import Answers
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading
from tests.providers.refusals import ERRORS, FAILED, LONG, OTHERWISE, RATE, TOO_LONG
from tests.providers.wire_more import MORE

AT_ONCE = [name for name, each in ERRORS.items() if each[2] not in {RATE, FAILED}]


@in_turn("name", ERRORS)
def test_the_code_of_a_body(name: str) -> None:
    """T8, T9, T10: by status and body, as they came or as they were read."""
    status, body, code = ERRORS[name]
    assert code_of_wire(status, body) == code
    text = body if isinstance(body, str) else json.dumps(body)
    assert code_of_wire(status, text.encode()) == code


@in_turn(("status", "body"), TOO_LONG)
def test_more_words_for_a_chat_that_is_too_long(status: int, body: Any) -> None:
    """T8: in whatever words, language and shape, and whatever the status."""
    statuses = {status} if status in {413, 429} else {status, 400, 413, 422, 500, 200}
    for each in statuses:
        assert code_of_wire(each, body) == LONG, each
        assert code_of_wire(each, {"detail": body}) == LONG, each
        assert code_of_wire(each, [body]) == LONG, each


@in_turn(("status", "body", "code"), OTHERWISE)
def test_words_that_only_sound_like_it(status: int, body: Any, code: str) -> None:
    """T8, T10: of a name, an answer, a minute, a wait or a crash; nothing is left out for them."""
    assert code_of_wire(status, body) == code
    assert code_of_wire(status, json.dumps(body, ensure_ascii=False).encode()) == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"code": 502, "message": "Upstream"}, "choices": []}, "provider_failed"),
        ({"error": {"code": 429, "message": "slow"}}, "rate_limited"),
        ({"error": {"message": "oops"}}, "provider_failed"),
        ({"error": "model requires more system memory (1 GiB)"}, "provider_memory"),
        ([{"error": {"code": 400, "message": "prompt is too long"}}], "context_too_long"),
    ],
)
def test_an_error_inside_a_stream(body: Any, code: str) -> None:
    """T4, T8: the status of the stream, 200, says nothing."""
    assert code_of_wire(200, body) == code
    assert code_of_wire(None, body) == code


@pytest.mark.parametrize("name", [name for name, each in ERRORS.items() if each[2] == LONG])
async def test_a_chat_that_outgrew_its_model_goes_on(name: str) -> None:
    """T8: whoever says so in whatever words; older turns are left out, and it is learnt once."""
    status, body, _ = ERRORS[name]
    async with Answers(lambda sent: (status, body) if sent > 9 else None) as server:
        handler = LangChainHandler(make_model("openai", server.base_url))
        reading = Reading(handler, *thread(20))
        assert await reading.end() is None
        assert reading.text == "Good day."
        assert [event for event in reading.events if isinstance(event, HistoryCut)]
        asked = len(server.sent)
        again = Reading(handler, *thread(21))
        assert await again.end() is None
        assert len(server.sent) == asked + 1, "nothing is learnt a second time"
        await handler.close()


@pytest.mark.parametrize("kind", ["openai", "anthropic", "ollama"])
async def test_the_answers_through_langchain_s_class(kind: str) -> None:
    """T8, T9, T10: read from the exception of each library; the next prompt is answered."""
    answers = {name: ERRORS[name] for name in AT_ONCE if ERRORS[name][0] >= 400}
    now = ""
    async with Answers(lambda sent: answers[now][:2]) as server:
        handler = LangChainHandler(make_model(kind, server.root_for(kind)))
        for number, (name, (_, _, code)) in enumerate(answers.items(), 1):
            now = name
            error = await Reading(handler).end()
            assert isinstance(error, StopChatError), (name, error)
            assert error.code == code, (name, error.detail)
            assert len(server.sent) == number, f"{name}: it is not asked again"
        await handler.close()
    assert number > 50


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("prompt is too long: 210000 tokens > 200000 maximum", (200000, 210000)),
        ("maximum context length is 4096 tokens. However, you requested 5000", (4096, 5000)),
        ("Limit 30000, Requested 45000", (30000, 45000)),
        ("it is too long", (None, None)),
    ],
)
def test_the_limit_that_the_words_name(text: str, found: Any) -> None:
    """T8: used for how much is left out."""
    assert limit_in(ValueError(text)) == found


@in_turn(("status", "body", "code"), MORE)
def test_each_server_in_its_own_words(status: int, body: Any, code: str) -> None:
    """T8, T9, T10, T13: as they came."""
    assert code_of_wire(status, body).value == code
