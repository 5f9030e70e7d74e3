"""Two processes on one database: each says what the other makes, and offers what it can do."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.engine.changes import MessageMoved
from jupyter_stop_chat.ports.handler import Reasoning, WasThought
from jupyter_stop_chat.ports.peers import MoreText
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from jupyter_stop_chat.wire.server_frames import ChatChanged, Thought
from jupyter_stop_chat.wire.utf16 import utf16_length
from tests.aids.fed import Fed
from tests.aids.turns import until
from tests.engine.bench import MODEL, OWNER, new_id
from tests.engine.servers.two_processes import (
    begin,
    lose,
    opened,
    say,
    take_away,
    told_of,
    twins,
)

__all__ = ["twins"]


async def test_a_stop_of_what_is_made_elsewhere_says_so(twins: Any) -> None:
    """H4, W1: by message, request, chat and all; and nothing is stopped."""
    accepted = await begin(twins)
    message_id, chat_id = accepted.message.id, accepted.chat_id
    for target in (
        {"message_id": message_id},
        {"request_id": accepted.request_id},
        {"chat_id": chat_id},
        {"all": True},
    ):
        (result,) = await twins.b.stop(**target)
        assert (result.message_id, result.outcome) == (message_id, Outcome.MADE_ELSEWHERE)
    (strange,) = await twins.b.stop(message_id=message_id, owner="eve")
    assert strange.outcome is Outcome.NOT_FOUND
    assert await twins.b.stop(all=True, owner="eve") == ()
    assert twins.a.engine.generation(message_id).stop is None
    (result,) = await twins.a.stop(message_id=message_id)
    assert result.outcome is Outcome.INTERRUPTED
    assert await twins.b.stop(all=True) == ()


async def test_all_of_ones_own_is_stopped_beside_it(twins: Any) -> None:
    """H4: what runs here is stopped, and what does not is told of."""
    accepted = await begin(twins)
    mine = await twins.b.send()
    results = await twins.b.stop(all=True)
    assert {each.message_id: each.outcome for each in results} == {
        mine.message.id: Outcome.INTERRUPTED,
        accepted.message.id: Outcome.MADE_ELSEWHERE,
    }


async def test_nothing_is_begun_beside_a_reply_that_is_made_elsewhere(twins: Any) -> None:
    """H4: which of two prompts came first would be open; afterwards all is as ever."""
    first = await twins.a.send("one")
    twins.model.feed(first.message.id, "done", None)
    await until(lambda: not twins.a.engine.running())
    accepted = await twins.a.send("two", first.chat_id)
    await say(twins, accepted.message.id, "half")
    for asked in (
        twins.b.send("three", first.chat_id),
        twins.b.send("three", first.chat_id, policy="interrupt"),
        twins.b.regenerate(first.message.id),
    ):
        with pytest.raises(StopChatError) as refused:
            await asked
        assert refused.value.code is ErrorCode.MADE_ELSEWHERE
    assert twins.b.engine.registry.empty
    queued = await twins.a.send("A's own waits as ever", first.chat_id)
    await twins.a.stop(message_id=queued.message.id, discard=True)
    twins.model.feed(accepted.message.id, " and whole", None)
    await until(lambda: not twins.a.engine.running())
    again = await twins.b.send("three", first.chat_id)
    assert again.user_message.reply_to == accepted.message.id
    twins.model.feed(again.message.id, "yes", None)
    await until(lambda: not twins.b.engine.running())


async def test_its_followers_see_that_text_was_a_thought(twins: Any) -> None:
    """T7, H4: what stood there goes, the reasoning comes whole, and the answer goes on."""
    for answer in ("", "ha!", "much longer than the thought was"):
        accepted = await begin(twins, "hmm 😀 ")
        look, before = twins.b.engine.elsewhere.look, len(twins.b.heard.told)
        made = twins.a.engine.generation(accepted.message.id)
        twins.model.feed(accepted.message.id, WasThought(), answer)
        await until(lambda made=made: str(made.reasoning) == "hmm 😀 ")
        told = None
        while told != (answer, "hmm 😀 "):
            kept = await twins.b.store.get_message(accepted.message.id)
            told = (kept.text, kept.reasoning)
        await look()
        cut, moved = [
            each
            for each in twins.b.heard.told[before:]
            if isinstance(each, Thought | MessageMoved) and not isinstance(each, ChatChanged)
        ]
        start = cut.text_length
        assert (moved.message.text_offset, moved.message.text) == (start, answer[start:])
        assert answer[:start] == "hmm 😀 "[:start]
        assert moved.message.reasoning == "hmm 😀 "
        twins.model.feed(accepted.message.id, None)
        await until(lambda: not twins.a.engine.running())
        await look()


async def test_who_comes_back_has_its_text_whole_once_some_was_a_thought(twins: Any) -> None:
    """T7, H4, B5: an offset of the text as it was says nothing, though nobody looked meanwhile."""
    accepted = await begin(twins, "hmm 😀 ")
    message_id, chat_id = accepted.message.id, accepted.chat_id
    page = await opened(twins, chat_id)
    await page.idle()
    assert page.page.text(message_id) == "hmm 😀 "
    page.send("close", chat_id=chat_id)
    made = twins.a.engine.generation(message_id)
    twins.model.feed(message_id, WasThought(), "The answer.", None)
    await until(made.settled.done)
    await page.opens(chat_id, offsets=page.page.offsets(), epoch=twins.b.engine.epoch)
    await page.idle()
    assert page.page.text(message_id) == "The answer."
    page.connection.end()


@pytest.mark.parametrize("was_thought", [False, True])
async def test_what_is_told_while_its_chat_is_read_is_not_lost(
    twins: Any, monkeypatch: pytest.MonkeyPatch, was_thought: bool
) -> None:
    """H4, B5: what a page is told next begins where the list that it was given ends."""
    accepted = await begin(twins, "half ")
    message_id, chat_id = accepted.message.id, accepted.chat_id
    store, b = twins.b.store, twins.b.engine
    get_messages = store.get_messages

    async def read_slowly(chat_id: str) -> Any:
        read = await get_messages(chat_id)
        if was_thought:
            made = twins.a.engine.generation(message_id)
            twins.model.feed(message_id, WasThought(), "An answer.")
            await until(lambda: str(made.text) == "An answer.")
            kept = None
            while kept != "An answer.":
                kept = (await store.get_message(message_id)).text
            await b.elsewhere.look()
        else:
            await say(twins, message_id, "of 😀 it")
            b.elsewhere.hear(OWNER, MoreText(chat_id, message_id, 5, "of 😀 it"))
        return read

    monkeypatch.setattr(store, "get_messages", read_slowly)
    page = await opened(twins, chat_id)
    await page.idle()
    monkeypatch.undo()
    told = "An answer." if was_thought else "half of 😀 it"
    assert page.page.text(message_id) == told
    b.elsewhere.hear(OWNER, MoreText(chat_id, message_id, utf16_length(told), " More."))
    await page.idle()
    assert page.page.text(message_id) == told + " More."
    if was_thought:
        assert page.page.messages[message_id].reasoning.decode("utf-16-le") == "half "
    page.connection.end()


async def test_its_followers_see_it_grow_and_end(twins: Any) -> None:
    """H4: what came is told from where they have it, and the end once."""
    accepted = await begin(twins)
    look = twins.b.engine.elsewhere.look
    await look()
    assert told_of(twins.b) == []
    await say(twins, accepted.message.id, "of 😀 ")
    await look()
    (grown,) = told_of(twins.b)
    assert (grown.text_offset, grown.text, grown.made_elsewhere) == (5, "of 😀 ", True)
    twins.model.feed(accepted.message.id, Reasoning("thought"), "it", None)
    await until(lambda: not twins.a.engine.running())
    await look()
    await look()
    _, ended = told_of(twins.b)
    assert (ended.state, ended.text_offset, ended.text) == (MessageState.COMPLETED, 11, "it")
    assert (ended.reasoning, ended.made_elsewhere) == ("thought", False)


async def test_it_is_looked_for_only_while_somebody_looks(twins: Any) -> None:
    """H4: nothing is asked of the database for a page that went."""
    accepted = await begin(twins)
    twins.b.bus.unfollow(accepted.chat_id, twins.b.heard)
    asked = []
    twins.b.store.get_message = asked.append
    await twins.b.engine.elsewhere.look()
    assert asked == []


async def test_what_a_killed_process_made_is_interrupted_for_who_looks(twins: Any) -> None:
    """H4, rule 12: without a new start of anything."""
    accepted = await begin(twins)
    await lose(twins)
    await twins.b.engine.elsewhere.look()
    (ended,) = told_of(twins.b)
    assert (ended.state, ended.stop.reason) == (MessageState.INTERRUPTED, "server_gone")
    assert (await twins.b.store.get_message(accepted.message.id)).text == "half "


async def test_a_prompt_does_not_wait_for_a_process_that_is_gone(twins: Any) -> None:
    """H4: what it left behind is settled first."""
    accepted = await begin(twins)
    await lose(twins)
    again = await twins.b.send("go on", accepted.chat_id)
    assert again.message.state is MessageState.QUEUED
    ended = await twins.b.store.get_message(accepted.message.id)
    assert ended.state is MessageState.INTERRUPTED


async def test_a_chat_that_is_deleted_elsewhere_is_stopped(twins: Any) -> None:
    """H4: its provider is closed, what waits goes too, and its pages are told that it is gone."""
    accepted = await begin(twins)
    waiting = await twins.a.send("and then", accepted.chat_id)
    other = await twins.a.send("another chat")
    made = twins.a.engine.generation(accepted.message.id)
    await twins.b.engine.delete_chat(OWNER, accepted.chat_id)
    await twins.a.engine.elsewhere.look()
    assert made.task is None
    assert [each.id for each in twins.a.engine.running()] == [other.message.id]
    assert twins.a.engine.generation(waiting.message.id) is None
    gone = [each for each in twins.a.heard.told if isinstance(each, ChatChanged) and each.deleted]
    assert {each.chat.id for each in gone} == {accepted.chat_id}


async def test_a_followed_chat_that_is_deleted_where_it_is_made(twins: Any) -> None:
    """H4: who looks at it elsewhere is told."""
    accepted = await begin(twins)
    await twins.a.engine.delete_chat(OWNER, accepted.chat_id)
    await twins.b.engine.elsewhere.look()
    gone = [each for each in twins.b.heard.told if isinstance(each, ChatChanged) and each.deleted]
    assert {each.chat.id for each in gone} == {accepted.chat_id}


async def test_what_the_other_did_is_there_when_it_is_asked_for(twins: Any) -> None:
    """H4: titles, chats and messages of the other; none of it breaks anything."""
    accepted = await begin(twins)
    await twins.b.engine.set_title(OWNER, accepted.chat_id, "Named by B")
    twins.model.feed(accepted.message.id, "done", None)
    await until(lambda: not twins.a.engine.running())
    assert (await twins.a.engine.chat(OWNER, accepted.chat_id)).title == "Named by B"
    again = await twins.b.send("more", accepted.chat_id)
    twins.model.feed(again.message.id, "yes", None)
    await until(lambda: not twins.b.engine.running())
    seen = await twins.a.store.get_messages(accepted.chat_id)
    assert [each.text for each in seen] == ["Hi", "half done", "more", "yes"]
    with pytest.raises(StopChatError) as refused:
        await twins.a.go_on(new_id())
    assert refused.value.code is ErrorCode.UNKNOWN_MESSAGE


async def test_what_was_ended_elsewhere_meanwhile_is_made_no_further(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4: of one that was suspended nothing is written, its model stops, and its page hears it."""
    accepted = await begin(twins)
    twins.a.follow(accepted.chat_id)
    made = twins.a.engine.generation(accepted.message.id)
    await take_away(twins, monkeypatch)
    await say(twins, accepted.message.id, "and more")
    await twins.a.engine.elsewhere.look()
    assert made.task is None
    assert twins.a.engine.registry.empty
    kept = await twins.a.store.get_message(accepted.message.id)
    assert (kept.text, kept.state, kept.stop.reason) == (
        "half ",
        MessageState.INTERRUPTED,
        "server_gone",
    )
    told = told_of(twins.a)[-1]
    assert (told.state, told.text, told.stop) == (kept.state, kept.text, kept.stop)


@pytest.mark.parametrize("found_by", ["looking", "a stop", "its end"])
async def test_what_another_goes_on_with_is_left_to_it(
    twins: Any, monkeypatch: pytest.MonkeyPatch, found_by: str
) -> None:
    """H4, W1: not a word of the first is in it, and the first says who makes it."""
    accepted = await begin(twins)
    message_id = accepted.message.id
    twins.a.follow(accepted.chat_id)
    await take_away(twins, monkeypatch)
    twins.b.handlers[MODEL] = other = Fed()  # type: ignore[assignment]
    await twins.b.go_on(message_id)
    other.feed(message_id, "B's")
    await until(lambda: str(twins.b.engine.generation(message_id).text) == "half B's")
    if found_by == "its end":
        twins.model.feed(message_id, "A's", None)
        await until(lambda: not twins.a.engine.running())
    else:
        await say(twins, message_id, "A's")
        if found_by == "looking":
            await twins.a.engine.elsewhere.look()
    (result,) = await twins.a.stop(message_id=message_id)
    assert result.outcome is Outcome.MADE_ELSEWHERE
    assert twins.a.engine.registry.empty
    assert told_of(twins.a)[-1].made_elsewhere
    other.feed(message_id, " alone", None)
    await until(lambda: not twins.b.engine.running())
    kept = await twins.a.store.get_message(message_id)
    assert (kept.text, kept.state) == ("half B's alone", MessageState.COMPLETED)
