"""Text that turns out to have been a thought, as a client is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.ports.handler import WasThought
from tests.connection.wire import feed, shows
from tests.engine.bench import turns_until

THOUGHT = "Hm 😀, so. "


async def _thinks(bench: Any, page: Any) -> tuple[str, str]:
    accepted = await page.ask()
    message_id = accepted["message"]["id"]
    feed(bench, message_id, THOUGHT)
    await shows(bench, message_id, THOUGHT)
    await page.idle()
    return accepted["chat_id"], message_id


async def test_it_is_told_at_once_and_comes_as_reasoning(bench: Any, wire: Any) -> None:
    """T7: the text ends where the thought began, and no character is lost or doubled."""
    page = wire()
    _, message_id = await _thinks(bench, page)
    feed(bench, message_id, WasThought(), "Yes")
    await shows(bench, message_id, "Yes")
    await page.idle()
    shown = page.page.messages[message_id]
    assert (str(shown), shown.reasoning.decode("utf-16-le")) == ("Yes", THOUGHT)
    feed(bench, message_id, "!", None)
    end = await page.end_of(message_id)
    assert (end["text_length"], page.page.text(message_id)) == (4, "Yes!")


@pytest.mark.parametrize("answer", ["", "Yes", "Yes, and much more than it had thought before."])
async def test_a_reader_that_was_late(bench: Any, wire: Any, answer: str) -> None:
    """T7: it has read some of the thought, and comes back when the answer is there."""
    page = wire()
    _, message_id = await _thinks(bench, page)
    page.open.clear()
    feed(bench, message_id, "More. ")
    await shows(bench, message_id, THOUGHT + "More. ")
    feed(bench, message_id, WasThought(), answer)
    await shows(bench, message_id, answer)
    page.open.set()
    await page.idle()
    shown = page.page.messages[message_id]
    assert (str(shown), shown.reasoning.decode("utf-16-le")) == (answer, THOUGHT + "More. ")
    feed(bench, message_id, "!", None)
    await page.end_of(message_id)
    assert page.page.text(message_id) == answer + "!"


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("answer", ["", "Yes", "Yes, and much more than it had thought before."])
async def test_who_comes_back_later(bench: Any, wire: Any, answer: str, ended: bool) -> None:
    """T7, B5: offsets of the text that it was say nothing, live and after the end."""
    page = wire()
    chat_id, message_id = await _thinks(bench, page)
    other = wire()
    await other.opens(chat_id)
    await other.idle()
    assert other.page.text(message_id) == THOUGHT
    other.send("close", chat_id=chat_id)
    feed(bench, message_id, WasThought(), answer)
    made = bench.engine.generation(message_id)
    await turns_until(lambda: str(made.reasoning) == THOUGHT and str(made.text) == answer)
    if ended:
        feed(bench, message_id, "!", None)
        await page.end_of(message_id)
    offsets = other.page.offsets()
    await other.opens(chat_id, offsets=offsets, epoch=bench.engine.epoch)
    await other.idle()
    if not ended:
        feed(bench, message_id, "!", None)
        await other.end_of(message_id)
    shown = other.page.messages[message_id]
    assert (str(shown), shown.reasoning.decode("utf-16-le")) == (answer + "!", THOUGHT)
