"""Titles and lists, where another process makes the replies."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.engine.servers.elsewhere import TITLE_LOOKS
from jupyter_stop_chat.wire.client_frames import Reorder, Unqueue
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged
from tests.aids.turns import until
from tests.engine.bench import OWNER
from tests.engine.servers.two_processes import (
    announced,
    begin,
    ended,
    lose,
    say,
    states,
    twins,
)

__all__ = ["twins"]


async def test_a_list_says_where_another_works_and_when_it_has_ended(twins: Any) -> None:
    """H4: with no page on the chat itself."""
    accepted: Accepted = await twins.a.send()
    await say(twins, accepted.message.id, "half ")
    engine = twins.b.engine
    (chat,) = await engine.with_states(OWNER, await twins.b.store.list_chats(OWNER))
    assert chat.state == "generating"
    await engine.elsewhere.look()
    twins.model.feed(accepted.message.id, None)
    await until(lambda: not twins.a.engine.running())
    await engine.elsewhere.look()
    assert states(twins.b)[-1][0] == "idle"


async def test_a_title_that_is_made_elsewhere_comes_here_too(twins: Any) -> None:
    """H4, L10."""
    accepted = await begin(twins)
    twins.a.engine.titles.consider = lambda *args, **more: None  # it takes its time
    twins.model.feed(accepted.message.id, None)
    await until(lambda: not twins.a.engine.running())
    await twins.b.engine.elsewhere.look()
    assert states(twins.b)[-1] == ("idle", None)
    await twins.a.store.set_title(accepted.chat_id, "Made by A")
    await twins.b.engine.elsewhere.look()
    assert states(twins.b)[-1] == ("idle", "Made by A")


async def test_a_title_that_never_comes_from_elsewhere_is_made_here(twins: Any) -> None:
    """H4, L10: that process ended between the reply and its title."""
    accepted = await begin(twins)
    twins.a.engine.titles.consider = lambda *args, **more: None
    twins.model.feed(accepted.message.id, None)
    await until(lambda: not twins.a.engine.running())
    for _ in range(TITLE_LOOKS + 2):
        await twins.b.engine.elsewhere.look()
    await until(lambda: states(twins.b)[-1] == ("idle", "Hi"))


async def test_a_chat_whose_process_died_in_its_first_turn_gets_a_title(twins: Any) -> None:
    """L10: of its prompt, from whoever finds it."""
    accepted = await begin(twins)
    found: list[Any] = []
    twins.stores[1]._saver._on_recovered = found.extend
    await lose(twins)
    await twins.b.store.recover()
    twins.b.engine.left_behind(found)
    await until(lambda: states(twins.b)[-1:] == [("idle", "Hi")])
    assert (await twins.a.store.get_chat(accepted.chat_id)).title == "Hi"


async def test_what_waits_elsewhere_can_be_changed_there_only(twins: Any) -> None:
    """H4: taken back, edited or put in another order; it says why."""
    accepted = await begin(twins)
    waiting = await twins.a.send("and then", accepted.chat_id)
    waits = waiting.message.id
    for asked in (
        twins.b.engine.unqueue(OWNER, Unqueue(type="unqueue", message_id=waits)),
        twins.b.engine.reorder(
            OWNER, Reorder(type="reorder", chat_id=accepted.chat_id, message_ids=[waits])
        ),
        twins.b.edit(waiting.user_message.id, "other words"),
    ):
        with pytest.raises(StopChatError) as refused:
            await asked
        assert refused.value.code is ErrorCode.MADE_ELSEWHERE
    with pytest.raises(StopChatError) as refused:
        await twins.b.engine.unqueue("eve", Unqueue(type="unqueue", message_id=waits))
    assert refused.value.code is ErrorCode.UNKNOWN_MESSAGE


async def test_an_old_title_that_is_told_late(twins: Any) -> None:
    """H4, L10: where the chat is worked in, what is told of it next has its title."""
    first = await ended(twins)
    await twins.b.send("two", first.chat_id)
    lane = twins.b.engine.registry.lane(OWNER, first.chat_id)
    chat = await twins.b.engine.set_title(OWNER, first.chat_id, "Named")
    assert lane.chat.title == "Named"
    told = chat.model_copy(update={"title": None})
    twins.b.engine.elsewhere.hear(OWNER, announced(ChatChanged(chat=told)))
    assert twins.b.heard.chats[-1].title == "Named"
    await until(lambda: not len(twins.b.engine.background))
    assert lane.chat.title == "Named"


async def test_a_title_that_was_given_elsewhere_is_looked_up(twins: Any) -> None:
    """H4, L10: where the chat is worked in, what is told of it has the new title soon."""
    first = await ended(twins)
    await twins.b.send("two", first.chat_id)
    chat = await twins.a.engine.set_title(OWNER, first.chat_id, "Named")
    twins.b.engine.elsewhere.hear(OWNER, announced(ChatChanged(chat=chat)))
    await until(lambda: not len(twins.b.engine.background))
    assert twins.b.heard.chats[-1].title == "Named"
    assert twins.b.engine.registry.lane(OWNER, first.chat_id).chat.title == "Named"
