"""The queue of a chat that another process works in, as who follows the chat here sees it."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.ports.peers import Announced, Moved
from jupyter_stop_chat.wire.client_frames import Reorder
from jupyter_stop_chat.wire.codec import encode
from jupyter_stop_chat.wire.server_frames import Accepted
from tests.aids.turns import until
from tests.connection.wire import Wire
from tests.engine.bench import OWNER
from tests.engine.reached import reached, twins
from tests.engine.servers.two_processes import begin

__all__ = ["reached", "twins"]


def _accepted(page: Wire) -> list[str]:
    return [each["message"]["id"] for each in page.page.frames if each["type"] == "accepted"]


async def test_a_prompt_that_is_handed_on_shows_in_every_page(reached: Any) -> None:
    """B10, H4: once, and not only where it was sent."""
    accepted = await begin(reached)
    pages = [Wire(reached.b) for _ in range(2)]
    for page in pages:
        await page.opens(accepted.chat_id)
    answer = await pages[0].ask(accepted.chat_id)
    message_id = answer["message"]["id"]
    told = await pages[1].until("accepted")
    assert (told["message"]["id"], told["message"]["made_elsewhere"]) == (message_id, True)
    known = Accepted.model_validate(answer)
    await reached.b.engine.elsewhere._hear_accepted(OWNER, known)  # the other tells it as well
    await reached.b.engine.elsewhere.look()
    for page in pages:
        await page.idle()
        assert _accepted(page) == [message_id]
        page.connection.end()


async def test_a_prompt_that_is_sent_there_shows_here(reached: Any) -> None:
    """B10, H4: while the chat is looked at, and though the one before ends meanwhile."""
    accepted = await begin(reached)
    page = Wire(reached.b)
    await page.opens(accepted.chat_id)
    reached.b.engine.elsewhere.close()  # it looks when it is told to
    second = await reached.a.send("second", accepted.chat_id)
    reached.model.feed(accepted.message.id, None)
    lane = reached.a.engine.registry.lane(OWNER, accepted.chat_id)
    await until(lambda: lane.running is not None and lane.running.id == second.message.id)
    await reached.b.engine.elsewhere.look()
    told = await page.until("accepted")
    assert (told["message"]["id"], told["user_message"]["text"]) == (second.message.id, "second")
    reached.model.feed(second.message.id, "of it", None)
    await until(lambda: not reached.a.engine.running())
    await reached.b.engine.elsewhere.look()
    await page.idle()
    assert page.page.text(second.message.id) == "of it"
    assert _accepted(page) == [second.message.id]
    page.connection.end()


@pytest.mark.parametrize("by", ["a", "b"])
async def test_what_waits_there_is_changed_and_put_in_order(reached: Any, by: str) -> None:
    """B10, H4: through whichever process, who follows here sees the prompts as they are."""
    accepted = await begin(reached)
    chat_id = accepted.chat_id
    first = await reached.a.send("one", chat_id)
    second = await reached.a.send("two", chat_id)
    page = Wire(reached.b)
    await page.opens(chat_id)
    bench = getattr(reached, by)
    order = [second.message.id]
    await bench.engine.reorder(OWNER, Reorder(type="reorder", chat_id=chat_id, message_ids=order))
    for prompt, follows in (
        (second.user_message.id, accepted.message.id),
        (first.user_message.id, second.message.id),
    ):
        told = await page.until("message", lambda frame, its=prompt: frame["message"]["id"] == its)
        assert told["message"]["reply_to"] == follows
    await bench.edit(first.user_message.id, "one, changed")
    await page.until("message", lambda frame: frame["message"]["text"] == "one, changed")
    page.connection.end()


async def test_news_of_a_prompt_are_heard(reached: Any) -> None:
    """B10: where others tell of it, it is looked at soon."""
    accepted = await begin(reached)
    waits = await reached.b.send("one", accepted.chat_id)
    elsewhere = reached.b.engine.elsewhere
    elsewhere._watched._due.clear()
    elsewhere.hear(OWNER, Moved(accepted.chat_id, waits.user_message.id))
    assert elsewhere._watched._due == {waits.message.id}


async def test_what_another_owner_is_told_shows_nothing_here(reached: Any) -> None:
    """H4: news under another owner's name tell this one's pages nothing."""
    accepted = await begin(reached)
    page, strange = Wire(reached.b), Wire(reached.b, owner="eve")
    await page.opens(accepted.chat_id)
    frames = len(page.page.frames)
    reply = accepted.message.model_copy(update={"id": "forged"})
    forged = accepted.model_copy(update={"message": reply})
    reached.b.engine.elsewhere.hear("eve", Announced(encode(forged)))
    await reached.b.engine.background.settle()
    await page.idle()
    await strange.idle()
    assert page.page.frames[frames:] == []
    assert _accepted(strange) == []
    page.connection.end()
    strange.connection.end()


async def test_a_reply_that_began_while_news_were_lost(reached: Any) -> None:
    """H4: once they come again, it shows in the page that looks at its chat."""
    accepted = await begin(reached)
    reached.model.feed(accepted.message.id, None)
    await until(lambda: not reached.a.engine.running())
    page = Wire(reached.b)
    await page.opens(accepted.chat_id)
    elsewhere = reached.b.engine.elsewhere
    await until(lambda: not elsewhere._watched and elsewhere._timer is None)
    second = await reached.a.send("second", accepted.chat_id)
    elsewhere.may_have_missed()
    told = await page.until("accepted")
    assert told["message"]["id"] == second.message.id
    reached.model.feed(second.message.id, "seen", None)
    await until(lambda: page.page.text(second.message.id) == "seen")
    page.connection.end()
    await until(lambda: elsewhere._timer is None)
