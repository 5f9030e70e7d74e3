"""What is remembered of texts that begin otherwise than a page had them is bounded."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.engine import rethought as module
from jupyter_stop_chat.engine.rethought import Rethought
from jupyter_stop_chat.ports.handler import WasThought
from jupyter_stop_chat.wire.objects import Message, MessageState
from tests.connection.wire import Wire
from tests.engine.bench import new_id
from tests.engine.servers.two_processes import begin, ended, twins

__all__ = ["twins"]


def made(at: int) -> Message:
    return Message(
        id=new_id(),
        chat_id=new_id(),
        role="assistant",
        text="",
        text_length=0,
        state=MessageState.COMPLETED,
        created_at=f"2026-01-01T00:00:{at:02d}Z",
    )


def test_the_oldest_is_forgotten_and_known_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """V10, T7: and what was made later, or is remembered, is not taken for forgotten."""
    monkeypatch.setattr(module, "MOST_MESSAGES", 2)
    rethought = Rethought()
    old, again, new, later = map(made, (1, 2, 3, 4))
    for each in (again, old, again, again, new):
        rethought.add(each)
    assert len(rethought) == 2
    assert [rethought.times(each.id) for each in (old, again, new)] == [0, 3, 1]
    assert rethought.is_forgotten(old)
    assert not any(map(rethought.is_forgotten, (again, new, later)))


async def test_a_page_that_comes_back_when_it_is_forgotten(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T7, B5: how much it had of that reply says nothing still."""
    monkeypatch.setattr(module, "MOST_MESSAGES", 1)
    accepted = await begin(twins, "hmm, yes")
    page = Wire(twins.b)
    await page.opens(accepted.chat_id)
    page.connection.end()
    back = Wire(twins.b)
    back.page.messages = page.page.messages
    twins.model.feed(accepted.message.id, WasThought(), "yes, all of it", None)
    other = await ended(twins, "x")
    await twins.b.engine.elsewhere.look()
    twins.b.engine.registry.rethought.add(other.message)
    assert len(twins.b.engine.registry.rethought) == 1
    offsets, epoch = back.page.offsets(), twins.b.engine.epoch
    await back.opens(accepted.chat_id, offsets=offsets, epoch=epoch)
    assert back.page.text(accepted.message.id) == "yes, all of it"
    back.connection.end()
