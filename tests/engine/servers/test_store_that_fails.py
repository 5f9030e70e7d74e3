"""A store that cannot be read for a moment: what others told then is told all the same."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.server_frames import ChatChanged
from tests.aids.turns import until
from tests.engine.bench import OWNER
from tests.engine.servers.two_processes import (
    announced,
    begin,
    ended,
    hear_what_is_left,
    looked,
    lose,
    opened,
    say,
    states,
    twins,
)

__all__ = ["twins"]


def fail_once(twins: Any, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Let the next read by some method fail in B."""

    async def read(*args: Any) -> Any:
        monkeypatch.undo()
        raise StopChatError(ErrorCode.NOT_READABLE)

    monkeypatch.setattr(twins.b.store, method, read)


async def test_a_request_that_is_told_then(twins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """H4: also where its reply has ended by the next look."""
    first = await ended(twins)
    page = await opened(twins, first.chat_id)
    b = twins.b.engine
    asked = await twins.a.send("two", first.chat_id)
    fail_once(twins, monkeypatch, "get_chat")
    b.elsewhere.hear(OWNER, announced(asked))
    twins.model.feed(asked.message.id, "yes", None)
    await until(lambda: not twins.a.engine.running() and not len(b.background))
    await b.elsewhere.look()
    await looked(twins, page)
    assert page.page.text(asked.user_message.id) == "two"
    assert page.page.text(asked.message.id) == "yes"
    assert page.page.messages[asked.message.id].state == "completed"
    page.connection.end()


async def test_an_end_that_is_found_then(twins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """H4: its chat is not called generating for ever."""
    accepted = await begin(twins)
    twins.model.feed(accepted.message.id, None)
    await until(lambda: not twins.a.engine.running())
    b = twins.b.engine.elsewhere
    fail_once(twins, monkeypatch, "get_chat")
    await b.look()
    await b.look()
    assert states(twins.b)[-1][0] == "idle"


async def test_a_deletion_that_is_found_then(twins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """H4, L7: its pages hear of it."""
    accepted = await begin(twins)
    await twins.a.engine.delete_chat(OWNER, accepted.chat_id)
    b = twins.b.engine.elsewhere
    fail_once(twins, monkeypatch, "get_chat")
    await b.look()
    await b.look()
    told = [each for each in twins.b.heard.told if isinstance(each, ChatChanged)]
    assert told[-1].deleted


async def test_a_title_that_is_told_then(twins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """H4, L10: what works here does not keep the one before."""
    mine = await twins.b.send("Hi")
    chat = await twins.a.engine.set_title(OWNER, mine.chat_id, "Named")
    b = twins.b.engine
    fail_once(twins, monkeypatch, "get_chat")
    b.elsewhere.hear(OWNER, announced(ChatChanged(chat=chat)))
    await until(lambda: not len(b.background))
    await b.elsewhere.look()
    lane = b.registry.lane(OWNER, mine.chat_id)
    assert lane.chat.title == "Named"
    twins.model.feed(mine.message.id, None)


async def test_what_a_killed_process_left_then(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4, rule 12: it is settled once, and told of later."""
    first = await ended(twins)
    page = await opened(twins, first.chat_id)
    b = twins.b.engine
    hear_what_is_left(twins)
    lost = await twins.a.send("two", first.chat_id)
    await say(twins, lost.message.id, "half")
    await lose(twins)
    monkeypatch.setattr(b.titles, "name_left_behind", lambda message: None)
    fail_once(twins, monkeypatch, "get_message")
    await twins.b.store.recover()
    await until(lambda: not len(b.background))
    await b.elsewhere.look()
    await looked(twins, page)
    assert page.page.text(lost.user_message.id) == "two"
    assert page.page.messages[lost.message.id].state == "interrupted"
    page.connection.end()
