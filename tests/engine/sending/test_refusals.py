"""A chat after its provider refused: the same chat answers the next prompt.

Through the engine, with LangChain's own classes, over HTTP on loopback.
"""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.langchain import handler as langchain
from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.wire.objects import MessageState
from tests.engine.bench import MODEL
from tests.providers.answers import Answers
from tests.providers.chat_models import make_model
from tests.providers.refusals import ERRORS, LONG

NAMES = [
    "openai",
    "llama.cpp",
    "gemini list",
    "lm studio",
    "gemini key list",
    "xai credits",
    "ollama memory 404",
    "nginx 404",
    "plain 429",
    "cloudflare 502",
    "azure filter",
]
GOOD = {
    "anthropic": (
        b'event: message_start\ndata: {"type": "message_start", "message": {"id": "m", "type": '
        b'"message", "role": "assistant", "content": [], "model": "m", "stop_reason": null, '
        b'"stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 1}}}\n\n'
        b'event: content_block_start\ndata: {"type": "content_block_start", "index": 0, '
        b'"content_block": {"type": "text", "text": ""}}\n\n'
        b'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 0, '
        b'"delta": {"type": "text_delta", "text": "Good day."}}\n\n'
        b'event: content_block_stop\ndata: {"type": "content_block_stop", "index": 0}\n\n'
        b'event: message_delta\ndata: {"type": "message_delta", "delta": {"stop_reason": '
        b'"end_turn", "stop_sequence": null}, "usage": {"output_tokens": 3}}\n\n'
        b'event: message_stop\ndata: {"type": "message_stop"}\n\n'
    ),
    "ollama": (
        b'{"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", '
        b'"content": "Good day."}, "done": false}\n'
        b'{"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", '
        b'"content": ""}, "done": true, "done_reason": "stop"}\n'
    ),
}
KINDS = {"anthropic": "text/event-stream", "ollama": "application/x-ndjson"}


def good(kind: str) -> Any:
    return (200, GOOD[kind], KINDS[kind]) if kind in GOOD else None


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait before a request is made again."""

    async def pause(seconds: float) -> None:
        pass

    monkeypatch.setattr(langchain, "pause", pause)


@pytest.mark.parametrize("kind", ["openai", "anthropic", "ollama"])
@pytest.mark.parametrize("name", NAMES)
async def test_the_same_chat_answers_the_next_prompt(bench, kind, name):
    """T8, T9, T10: what was refused says why, and stands in nobody's way."""
    status, body, code = ERRORS[name]
    refuses = True
    b = bench()
    async with Answers(lambda sent: (status, body) if refuses else good(kind)) as server:
        b.handlers[MODEL] = handler = LangChainHandler(make_model(kind, server.root_for(kind)))
        first = await b.send("one")
        refused = await b.end(first)
        assert (refused.state, refused.error.code) == (MessageState.FAILED, code)
        refuses = False
        answered = await b.end(await b.send("two", first.message.chat_id))
        assert (answered.state, answered.text) == (MessageState.COMPLETED, "Good day.")
        await handler.close()


@pytest.mark.parametrize("kind", ["openai", "anthropic", "ollama"])
@pytest.mark.parametrize("name", [each for each in NAMES if ERRORS[each][2] == LONG])
async def test_a_chat_that_outgrew_its_model_goes_on_for_good(bench, kind, name):
    """T8: prompt after prompt; the reply says from which message on the model was told."""
    status, body, _ = ERRORS[name]
    b = bench()
    async with Answers(lambda sent: (status, body) if sent > 5 else good(kind)) as server:
        b.handlers[MODEL] = handler = LangChainHandler(make_model(kind, server.root_for(kind)))
        chat_id, cut = None, []
        for at in range(7):
            accepted = await b.send(f"prompt {at} " + "word " * 30, chat_id)
            chat_id = accepted.message.chat_id
            reply = await b.end(accepted)
            assert (reply.state, reply.text) == (MessageState.COMPLETED, "Good day.")
            cut.append(reply.usage.sent_from if reply.usage else None)
        assert cut[:3] == [None] * 3
        assert all(cut[3:])
        await handler.close()


async def test_an_error_in_a_stream_stands_in_nobody_s_way(bench):
    """T4, T8, T10: after its first words, and as its first event."""
    told = [
        (b'data: {"error": {"message": "Context size has been exceeded."}}\n\n', LONG, ""),
        (
            b'data: {"choices": [{"index": 0, "delta": {"content": "Well"}}]}\n\n'
            b'data: {"error": {"code": 402, "message": "Insufficient credits"}}\n\n',
            "quota_exceeded",
            "Well",
        ),
        (
            b'data: {"error": {"code": 401, "message": "User not found."}}\n\n',
            "key_refused",
            "",
        ),
    ]
    b = bench()
    answer: Any = None
    async with Answers(lambda sent: answer) as server:
        b.handlers[MODEL] = handler = LangChainHandler(make_model("openai", server.base_url))
        chat_id = None
        for body, code, text in told:
            answer = (200, body, "text/event-stream")
            accepted = await b.send("one", chat_id)
            chat_id = accepted.message.chat_id
            refused = await b.end(accepted)
            assert (refused.state, refused.error.code) == (MessageState.FAILED, code)
            assert refused.text == text
            answer = None
            assert (await b.end(await b.send("two", chat_id))).text == "Good day."
        await handler.close()
