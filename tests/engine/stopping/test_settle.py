"""What a message is claimed with at its end."""

from __future__ import annotations

import logging
import uuid
from types import SimpleNamespace

import pytest

from jupyter_stop_chat.engine.settle import failure_info, settlement
from jupyter_stop_chat.ports.handler import HistoryCut, Text, TokensUsed, ToolStarted
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState
from tests.aids.generations import a_generation
from tests.aids.in_turn import in_turn


async def test_a_stop_wins_over_whatever_came_after_it():
    """Rule 6."""
    generation = a_generation()
    generation.begin_stop("user")
    generation.failure = StopChatError(ErrorCode.PROVIDER_FAILED)
    settled = settlement(generation)
    assert (settled.state, settled.error) == (MessageState.INTERRUPTED, None)
    assert settled.stop.reason == "user"


@in_turn("code", list(ErrorCode))
async def test_every_code_has_its_sentence_and_nothing_else(code):
    """L5."""
    generation = a_generation()
    generation.failure = StopChatError(code, "sk-secret")
    settled = settlement(generation)
    assert settled.state is MessageState.FAILED
    assert (settled.error.code, settled.error.message) == (code, SENTENCES[code][0])


async def test_a_tool_alone_is_a_reply():
    generation = a_generation()
    generation.apply(ToolStarted("c", "draw"))
    await generation.finish()
    assert settlement(generation).state is MessageState.COMPLETED


async def test_a_complete_reply_that_nobody_counted_is_estimated():
    """B9: what is not known is not made up for a reply that came to its end."""
    generation = a_generation()
    generation.apply(Text("x" * 400))
    await generation.finish()
    ids = [str(uuid.uuid4()) for _ in range(3)]
    generation.told = list(zip(ids, (40, 4000, 400), strict=True))
    usage = settlement(generation).usage
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (1110, 100, True)
    generation.apply(HistoryCut(ids[2]))
    usage = settlement(generation).usage
    assert (usage.input_tokens, usage.sent_from) == (100, ids[2])


@pytest.mark.parametrize(("made", "tokens"), [(1, 1), (3, 1), (40, 10), (4000, 1000)])
async def test_tokens_are_estimated_by_the_length(made, tokens):
    """B9."""
    generation = a_generation()
    generation.apply(Text("x" * made))
    await generation.finish()
    generation.begin_stop("user")
    usage = settlement(generation).usage
    assert (usage.output_tokens, usage.estimated) == (tokens, True)


async def test_what_a_failed_reply_cost_is_estimated_too():
    generation = a_generation()
    generation.apply(TokensUsed(input_tokens=5))
    generation.apply(Text("x" * 8))
    await generation.finish()
    generation.failure = StopChatError(ErrorCode.PROVIDER_UNREACHABLE)
    usage = settlement(generation).usage
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (5, 2, True)


async def test_the_log_knows_what_the_person_may_not(caplog):
    """L5, V3."""
    generation = a_generation()
    failure = StopChatError(ErrorCode.KEY_REFUSED, "detail")
    failure.__cause__ = ValueError("sk-secret")
    with caplog.at_level(logging.WARNING):
        info = failure_info(failure, generation)
    assert info.error_id in caplog.text
    assert "ValueError" in caplog.text
    assert "detail" in caplog.text
    assert "sk-secret" not in caplog.text + info.model_dump_json()
    assert "detail" not in info.model_dump_json()


@pytest.mark.parametrize("code", [ErrorCode.KEY_REFUSED, ErrorCode.RATE_LIMITED])
def test_a_providers_refusal_is_one_line_of_the_log(
    code: ErrorCode, caplog: pytest.LogCaptureFixture
) -> None:
    """H5: what it says can neither fill the log nor pose as a line of it."""
    caplog.set_level(logging.INFO, logger="jupyter_stop_chat")
    failure = StopChatError(code, "RuntimeError: no\n[C 2026-01-01 ServerApp] all is lost\n")
    failure.__cause__ = RuntimeError("no")
    info = failure_info(failure, SimpleNamespace(model="openai:x"))
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()
    assert str(info.error_id) in caplog.text


def test_where_a_fault_without_a_code_was_raised_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """H5."""
    try:
        raise RuntimeError(f"sk-{'canary'}-words")
    except RuntimeError as error:
        failure = StopChatError(ErrorCode.GENERATION_FAILED, "RuntimeError: masked")
        failure.__cause__ = error
    failure_info(failure, SimpleNamespace(model="ours:x"))
    assert "RuntimeError at" in caplog.records[1].getMessage()
    assert __file__ in caplog.records[1].getMessage()
