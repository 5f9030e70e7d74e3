"""Two processes on one database: each says what the other makes, and offers what it can do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import update

from jupyter_stop_chat.engine.changes import MessageMoved
from jupyter_stop_chat.engine.elsewhere import TITLE_LOOKS
from jupyter_stop_chat.ports.handler import Reasoning, WasThought
from jupyter_stop_chat.store import make_store
from jupyter_stop_chat.store.degraded import saving
from jupyter_stop_chat.store.schema import processes
from jupyter_stop_chat.wire.client_frames import Reorder, Unqueue
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged, Thought
from tests.connection.wire import Wire
from tests.engine.bench import MODEL, OWNER, Bench, new_id
from tests.fed import Fed
from tests.turns import until


@pytest.fixture(params=["file", "postgresql"])
def twins(
    request: pytest.FixtureRequest, tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Any]:
    """Return two engines with stores of their own on one database, as two servers have them."""
    run = jp_asyncio_loop.run_until_complete
    url = f"sqlite:///{tmp_path}/chats.sqlite"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")
    model = Fed()
    stores, benches = [], []
    for name in ("host:1:a", "host:2:b"):
        store = run(make_store(url, owner_process=name))
        run(store.open())
        stores.append(store)
        benches.append(Bench(store=store))
        benches[-1].handlers[MODEL] = model  # type: ignore[assignment]
    yield SimpleNamespace(a=benches[0], b=benches[1], model=model, stores=stores)
    for bench in benches:
        run(bench.engine.shutdown())
    for store in stores:
        run(store.close())


async def _begin(twins: Any, text: str = "half ") -> Accepted:
    """Let A make a reply that B looks at."""
    accepted: Accepted = await twins.a.send()
    await _say(twins, accepted.message.id, text)
    twins.b.follow(accepted.chat_id)
    chat = await twins.b.engine.chat(OWNER, accepted.chat_id)
    messages = await twins.b.store.get_messages(accepted.chat_id)
    assert messages[-1].made_elsewhere
    twins.b.engine.elsewhere.watch(chat, messages)
    return accepted


async def _say(twins: Any, message_id: str, *events: Any) -> None:
    twins.model.feed(message_id, *events)
    said = twins.model.said[message_id]
    made = twins.a.engine.generation(message_id)
    await until(lambda: str(made.text) == said)


async def _lose(twins: Any) -> None:
    """Have A look ended: its lock is free, as the system leaves it, and it was last seen long ago.

    The one decides in a file, the other on a database server.
    """
    await asyncio.to_thread(twins.stores[0]._saver._lock.release)
    seen = processes.c.seen_at
    await twins.stores[1]._database.transact(
        lambda connection: connection.execute(
            update(processes).where(processes.c.id == "host:1:a").values(seen_at=seen - 61)
        )
    )


def _told(bench: Bench) -> list[Any]:
    return [each.message for each in bench.heard.told if isinstance(each, MessageMoved)]


async def test_a_stop_of_what_is_made_elsewhere_says_so(twins: Any) -> None:
    """H4, W1: by message, request, chat and all; and nothing is stopped."""
    accepted = await _begin(twins)
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
    accepted = await _begin(twins)
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
    await _say(twins, accepted.message.id, "half")
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
        accepted = await _begin(twins, "hmm 😀 ")
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
    accepted = await _begin(twins, "hmm 😀 ")
    message_id, chat_id = accepted.message.id, accepted.chat_id
    page = Wire(twins.b)
    await page.opens(chat_id)
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


async def test_its_followers_see_it_grow_and_end(twins: Any) -> None:
    """H4: what came is told from where they have it, and the end once."""
    accepted = await _begin(twins)
    look = twins.b.engine.elsewhere.look
    await look()
    assert _told(twins.b) == []
    await _say(twins, accepted.message.id, "of 😀 ")
    await look()
    (grown,) = _told(twins.b)
    assert (grown.text_offset, grown.text, grown.made_elsewhere) == (5, "of 😀 ", True)
    twins.model.feed(accepted.message.id, Reasoning("thought"), "it", None)
    await until(lambda: not twins.a.engine.running())
    await look()
    await look()
    _, ended = _told(twins.b)
    assert (ended.state, ended.text_offset, ended.text) == (MessageState.COMPLETED, 11, "it")
    assert (ended.reasoning, ended.made_elsewhere) == ("thought", False)


async def test_it_is_looked_for_only_while_somebody_looks(twins: Any) -> None:
    """H4: nothing is asked of the database for a page that went."""
    accepted = await _begin(twins)
    twins.b.bus.unfollow(accepted.chat_id, twins.b.heard)
    asked = []
    twins.b.store.get_message = asked.append
    await twins.b.engine.elsewhere.look()
    assert asked == []


async def test_what_a_killed_process_made_is_interrupted_for_who_looks(twins: Any) -> None:
    """H4, rule 12: without a new start of anything."""
    accepted = await _begin(twins)
    await _lose(twins)
    await twins.b.engine.elsewhere.look()
    (ended,) = _told(twins.b)
    assert (ended.state, ended.stop.reason) == (MessageState.INTERRUPTED, "server_restart")
    assert (await twins.b.store.get_message(accepted.message.id)).text == "half "


async def test_a_prompt_does_not_wait_for_a_process_that_is_gone(twins: Any) -> None:
    """H4: what it left behind is settled first."""
    accepted = await _begin(twins)
    await _lose(twins)
    again = await twins.b.send("go on", accepted.chat_id)
    assert again.message.state is MessageState.QUEUED
    ended = await twins.b.store.get_message(accepted.message.id)
    assert ended.state is MessageState.INTERRUPTED


async def test_a_chat_that_is_deleted_elsewhere_is_stopped(twins: Any) -> None:
    """H4: its provider is closed, what waits goes too, and its pages are told that it is gone."""
    accepted = await _begin(twins)
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
    accepted = await _begin(twins)
    await twins.a.engine.delete_chat(OWNER, accepted.chat_id)
    await twins.b.engine.elsewhere.look()
    gone = [each for each in twins.b.heard.told if isinstance(each, ChatChanged) and each.deleted]
    assert {each.chat.id for each in gone} == {accepted.chat_id}


async def test_what_the_other_did_is_there_when_it_is_asked_for(twins: Any) -> None:
    """H4: titles, chats and messages of the other; none of it breaks anything."""
    accepted = await _begin(twins)
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


def _states(bench: Bench) -> list[tuple[str, str | None]]:
    changes = [each for each in bench.heard.told if isinstance(each, ChatChanged)]
    return [(each.chat.state, each.chat.title) for each in changes]


async def _take_away(twins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have B take what A makes for left behind, as when A was suspended for long."""
    monkeypatch.setattr(saving, "is_gone", lambda *args, **more: True)
    await twins.b.store.recover()
    monkeypatch.undo()


async def test_what_was_ended_elsewhere_meanwhile_is_made_no_further(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4: of one that was suspended nothing is written, its model stops, and its page hears it."""
    accepted = await _begin(twins)
    twins.a.follow(accepted.chat_id)
    made = twins.a.engine.generation(accepted.message.id)
    await _take_away(twins, monkeypatch)
    await _say(twins, accepted.message.id, "and more")
    await twins.a.engine.elsewhere.look()
    assert made.task is None
    assert twins.a.engine.registry.empty
    kept = await twins.a.store.get_message(accepted.message.id)
    assert (kept.text, kept.state, kept.stop.reason) == (
        "half ",
        MessageState.INTERRUPTED,
        "server_restart",
    )
    told = _told(twins.a)[-1]
    assert (told.state, told.text, told.stop) == (kept.state, kept.text, kept.stop)


@pytest.mark.parametrize("found_by", ["looking", "a stop", "its end"])
async def test_what_another_goes_on_with_is_left_to_it(
    twins: Any, monkeypatch: pytest.MonkeyPatch, found_by: str
) -> None:
    """H4, W1: not a word of the first is in it, and the first says who makes it."""
    accepted = await _begin(twins)
    message_id = accepted.message.id
    twins.a.follow(accepted.chat_id)
    await _take_away(twins, monkeypatch)
    twins.b.handlers[MODEL] = other = Fed()  # type: ignore[assignment]
    await twins.b.go_on(message_id)
    other.feed(message_id, "B's")
    await until(lambda: str(twins.b.engine.generation(message_id).text) == "half B's")
    if found_by == "its end":
        twins.model.feed(message_id, "A's", None)
        await until(lambda: not twins.a.engine.running())
    else:
        await _say(twins, message_id, "A's")
        if found_by == "looking":
            await twins.a.engine.elsewhere.look()
    (result,) = await twins.a.stop(message_id=message_id)
    assert result.outcome is Outcome.MADE_ELSEWHERE
    assert twins.a.engine.registry.empty
    assert _told(twins.a)[-1].made_elsewhere
    other.feed(message_id, " alone", None)
    await until(lambda: not twins.b.engine.running())
    kept = await twins.a.store.get_message(message_id)
    assert (kept.text, kept.state) == ("half B's alone", MessageState.COMPLETED)


async def test_a_list_says_where_another_works_and_when_it_has_ended(twins: Any) -> None:
    """H4: with no page on the chat itself."""
    accepted: Accepted = await twins.a.send()
    await _say(twins, accepted.message.id, "half ")
    engine = twins.b.engine
    (chat,) = await engine.with_states(OWNER, await twins.b.store.list_chats(OWNER))
    assert chat.state == "generating"
    await engine.elsewhere.look()
    twins.model.feed(accepted.message.id, None)
    await until(lambda: not twins.a.engine.running())
    await engine.elsewhere.look()
    assert _states(twins.b)[-1][0] == "idle"


async def test_a_title_that_is_made_elsewhere_comes_here_too(twins: Any) -> None:
    """H4, L10."""
    accepted = await _begin(twins)
    twins.a.engine.titles.consider = lambda *args, **more: None  # it takes its time
    twins.model.feed(accepted.message.id, None)
    await until(lambda: not twins.a.engine.running())
    await twins.b.engine.elsewhere.look()
    assert _states(twins.b)[-1] == ("idle", None)
    await twins.a.store.set_title(accepted.chat_id, "Made by A")
    await twins.b.engine.elsewhere.look()
    assert _states(twins.b)[-1] == ("idle", "Made by A")


async def test_a_title_that_never_comes_from_elsewhere_is_made_here(twins: Any) -> None:
    """H4, L10: that process ended between the reply and its title."""
    accepted = await _begin(twins)
    twins.a.engine.titles.consider = lambda *args, **more: None
    twins.model.feed(accepted.message.id, None)
    await until(lambda: not twins.a.engine.running())
    for _ in range(TITLE_LOOKS + 2):
        await twins.b.engine.elsewhere.look()
    await until(lambda: _states(twins.b)[-1] == ("idle", "Hi"))


async def test_a_chat_whose_process_died_in_its_first_turn_gets_a_title(twins: Any) -> None:
    """L10: of its prompt, from whoever finds it."""
    accepted = await _begin(twins)
    found: list[Any] = []
    twins.stores[1]._saver._on_recovered = found.extend
    await _lose(twins)
    await twins.b.store.recover()
    twins.b.engine.left_behind(found)
    await until(lambda: _states(twins.b)[-1:] == [("idle", "Hi")])
    assert (await twins.a.store.get_chat(accepted.chat_id)).title == "Hi"


async def test_what_waits_elsewhere_can_be_changed_there_only(twins: Any) -> None:
    """H4: taken back, edited or put in another order; it says why."""
    accepted = await _begin(twins)
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
