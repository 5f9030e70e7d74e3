"""Chat handlers whose events and errors are not what they should be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_stop_chat.engine import settle as settle_module
from jupyter_stop_chat.ports.handler import Finished, HistoryCut, WasThought
from jupyter_stop_chat.testing import Gate, Raise
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Outcome

HALF = "\ud83d"


class _MadeOtherwise(StopChatError):
    """An error that never was made as ours are."""

    def __init__(self) -> None:
        Exception.__init__(self)


class _Speechless(StopChatError):
    """An error that has no words."""

    def __str__(self) -> str:
        raise ValueError("sk-secret")


@pytest.mark.parametrize(
    "event",
    [Finished("stop"), Finished(["length"]), HistoryCut("first"), HistoryCut(5)],  # type: ignore[arg-type]
    ids=str,
)
async def test_an_event_that_could_not_be_kept(bench: Any, event: Any) -> None:
    """L5: the reply ends, and its chat can be read: it could not be, or it never ended."""
    b = bench(["half", event])
    accepted = await b.send()
    message = await b.end(accepted)
    assert (message.state, message.text) == (MessageState.FAILED, "half")
    assert message.error.code is ErrorCode.GENERATION_FAILED
    assert (await b.store.get_messages(accepted.chat_id))[-1] == message
    assert (await b.end(await b.send(chat_id=accepted.chat_id))).state is MessageState.FAILED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (_MadeOtherwise(), ErrorCode.GENERATION_FAILED),
        (_Speechless(ErrorCode.RATE_LIMITED), ErrorCode.RATE_LIMITED),
        (StopChatError(["odd"]), ErrorCode.GENERATION_FAILED),  # type: ignore[arg-type]
    ],
    ids=["made_otherwise", "speechless", "no_code"],
)
async def test_an_error_that_nobody_can_read(bench: Any, error: Any, code: ErrorCode) -> None:
    """L5: its reply ends, and so does who waits for that."""
    b = bench(["half", Raise(error)])
    message = await b.end(await b.send())
    assert (message.state, message.text, message.error.code) == (MessageState.FAILED, "half", code)


@pytest.mark.parametrize("stopped", [False, True])
async def test_an_end_that_cannot_be_told(
    bench: Any, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    """L5, rule 5: whatever is wrong with it, a stop is answered, and the chat goes on."""

    def wrong(generation: Any) -> Any:
        raise ValueError("sk-secret")

    monkeypatch.setattr(settle_module, "settlement", wrong)
    gate = Gate()
    b = bench(["half", gate])
    accepted = await b.send()
    await b.shown(accepted, "half")
    if stopped:
        (result,) = await b.stop(message_id=accepted.message.id)
        assert result.outcome is Outcome.INTERRUPTED
    gate.open()
    message = await b.end(accepted)
    wanted = MessageState.INTERRUPTED if stopped else MessageState.FAILED
    assert (message.state, message.text) == (wanted, "half")
    assert (message.error is None) == stopped
    assert await b.store.get_message(message.id) == message


@pytest.mark.parametrize(
    ("events", "text", "thought"),
    [
        (["Hm, so. " + HALF, WasThought(), "Yes"], "Yes", "Hm, so. \ufffd"),
        (["A 🗼", WasThought(1), "Yes"], "A Yes", "🗼"),
        (["Hm", WasThought(-5), "Yes"], "HmYes", None),
    ],
    ids=["half_a_character_waits", "within_a_character", "less_than_nothing"],
)
async def test_a_thought_of_an_odd_length(
    bench: Any, events: list[Any], text: str, thought: str | None
) -> None:
    """T7: of a thought nothing stays in the text, and no half of a character is anywhere."""
    gate = Gate()
    b = bench([*events, gate])
    accepted = await b.send()
    generation = await b.shown(accepted, text)
    assert all(begin <= generation.text.length for begin in generation.thought_from)
    gate.open()
    message = await b.end(accepted)
    assert (message.text, message.reasoning) == (text, thought)
    assert await b.store.get_message(message.id) == message


async def test_half_a_character_at_the_end_of_the_longest_reply(bench: Any) -> None:
    """Rule 8: what waits for its other half is no exception."""
    b = bench(["xy" + HALF], max_reply_length=2)
    message = await asyncio.wait_for(b.end(await b.send()), 20)
    assert (message.state, message.text) == (MessageState.COMPLETED, "xy")
