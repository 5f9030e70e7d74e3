"""What a killed process had accepted, and had told nobody of, reaches each page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.engine.servers.two_processes import (
    begin,
    ended,
    hear_what_is_left,
    looked,
    lose,
    opened,
    say,
    twins,
)

__all__ = ["twins"]


async def test_what_a_killed_process_had_accepted_and_not_told(twins: Any) -> None:
    """H4, rule 12: it is told of before it is settled, and then nobody would."""
    accepted = await begin(twins)
    page = await opened(twins, accepted.chat_id)
    waiting = await twins.a.send("and then", accepted.chat_id)
    await lose(twins)
    await twins.b.engine.elsewhere.look()
    await page.idle()
    assert page.page.text(waiting.user_message.id) == "and then"
    assert page.page.messages[waiting.message.id].state == "interrupted"
    assert page.page.messages[accepted.message.id].state == "interrupted"
    page.connection.end()


async def test_what_a_killed_process_had_accepted_in_an_idle_chat(twins: Any) -> None:
    """H4, rule 12: whoever settles it tells of it, though nothing was looked at."""
    first = await ended(twins)
    page = await opened(twins, first.chat_id)
    hear_what_is_left(twins)
    lost = await twins.a.send("two", first.chat_id)
    await say(twins, lost.message.id, "half")
    await lose(twins)
    await twins.b.store.recover()
    await looked(twins, page)
    assert page.page.text(lost.user_message.id) == "two"
    assert page.page.text(lost.message.id) == "half"
    assert page.page.messages[lost.message.id].state == "interrupted"
    page.connection.end()


async def test_what_a_look_tells_of_is_not_told_again_by_who_settles_it(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4, rule 12: a page hears of the request once, also where the second read is late."""
    accepted = await begin(twins)
    page = await opened(twins, accepted.chat_id)
    b, store = twins.b.engine, twins.b.store
    hear_what_is_left(twins)
    monkeypatch.setattr(b.titles, "name_left_behind", lambda message: None)
    waiting = await twins.a.send("and then", accepted.chat_id)
    await lose(twins)
    get_message, late = store.get_message, asyncio.Event()

    async def read_late(wanted: str) -> Any:
        if asyncio.current_task().get_name() == "stop-chat elsewhere":
            await late.wait()
        return await get_message(wanted)

    monkeypatch.setattr(store, "get_message", read_late)
    await b.elsewhere.look()
    await page.end_of(waiting.message.id)
    late.set()
    await looked(twins, page)
    told = [frame["request_id"] for frame in page.page.of_type("accepted")]
    assert told == [waiting.request_id]
    page.connection.end()
