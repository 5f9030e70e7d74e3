"""What another process does while a chat is read here, or between two looks, reaches each page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_stop_chat.connection import opening as tails
from jupyter_stop_chat.ports.handler import Reasoning, ToolEnded, ToolStarted, WasThought
from jupyter_stop_chat.ports.peers import MoreText, Moved
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged
from tests.aids.turns import until
from tests.connection.wire import Wire
from tests.engine.bench import OWNER
from tests.engine.servers.two_processes import (
    announced,
    begin,
    ended,
    looked,
    opened,
    say,
    twins,
    until_kept,
)

__all__ = ["twins"]


def read_slowly(
    twins: Any, monkeypatch: pytest.MonkeyPatch, *, after: Any, before: Any = None
) -> None:
    """Let something happen before or after B has read a chat, once."""
    get_messages = twins.b.store.get_messages
    left = {"before": before, "after": after}

    async def happen(when: str) -> None:
        if (work := left.pop(when, None)) is not None:
            await work()

    async def read(chat_id: str) -> Any:
        await happen("before")
        found = await get_messages(chat_id)
        await happen("after")
        return found

    monkeypatch.setattr(twins.b.store, "get_messages", read)


async def nothing() -> None:
    """Let nothing happen."""


@pytest.mark.parametrize("where", ["there", "here"])
async def test_a_title_that_is_given_meanwhile(
    twins: Any, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """H4, L10: what was read before it does not take it back, wherever the reply is made."""
    accepted = await begin(twins)
    b = twins.b.engine

    async def rename() -> None:
        engine = twins.a.engine if where == "there" else b
        chat = await engine.set_title(OWNER, accepted.chat_id, "Named")
        if where == "there":
            b.elsewhere.hear(OWNER, announced(ChatChanged(chat=chat)))

    read_slowly(twins, monkeypatch, after=rename)
    page = await opened(twins, accepted.chat_id)
    await page.idle()
    assert page.page.chats[accepted.chat_id]["title"] == "Named"
    page.connection.end()


async def test_a_reply_that_begins_meanwhile(twins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """H4: its chat is not called idle."""
    first = await ended(twins)

    async def begin_another() -> None:
        asked = await twins.a.send("two", first.chat_id)
        await say(twins, asked.message.id, "half")

    read_slowly(twins, monkeypatch, before=begin_another, after=nothing)
    page = await opened(twins, first.chat_id)
    await page.idle()
    assert page.page.chats[first.chat_id]["state"] == "generating"
    page.connection.end()


@pytest.mark.parametrize("by", ["another page", "a list", "a look"])
async def test_a_prompt_is_told_to_every_page_whoever_read_it_first(twins: Any, by: str) -> None:
    """H4, B10: a page that had the chat before is told of it, and not of its reply alone."""
    first = await ended(twins)
    page, other = Wire(twins.b), Wire(twins.b)
    await page.opens(first.chat_id)
    b = twins.b.engine
    asked = await twins.a.send("two", first.chat_id)
    await say(twins, asked.message.id, "half")
    if by == "another page":
        await other.opens(first.chat_id)
    else:
        chats = await twins.b.store.list_chats(OWNER, query="", limit=50, before=None)
        await b.with_states(OWNER, chats)
    if by == "a look":
        await b.elsewhere.look()
    else:
        b.elsewhere.hear(OWNER, announced(asked))
        b.elsewhere.hear(OWNER, MoreText(first.chat_id, asked.message.id, 4, " of it"))
    await looked(twins, page)
    assert page.page.text(asked.user_message.id) == "two"
    assert page.page.text(asked.message.id).startswith("half")
    for each in (page, other):
        each.connection.end()


async def test_a_prompt_that_is_changed_after_its_chat_was_listed(twins: Any) -> None:
    """H4, B10: a list knows no prompts, and who opens the chat does."""
    accepted = await begin(twins)
    waiting = await twins.a.send("as it was", accepted.chat_id)
    b = twins.b.engine
    chats = await twins.b.store.list_chats(OWNER, query="", limit=50, before=None)
    await b.with_states(OWNER, chats)
    page = await opened(twins, accepted.chat_id)
    await twins.a.edit(waiting.user_message.id, "as it is")
    await b.elsewhere.look()
    await page.idle()
    assert page.page.text(waiting.user_message.id) == "as it is"
    page.connection.end()


async def test_a_prompt_that_is_changed_as_its_reply_begins(twins: Any) -> None:
    """H4, B10: its reply may be known to have text before anybody has looked."""
    accepted: Accepted = await twins.a.send("as it was")
    message_id, prompt = accepted.message.id, accepted.user_message
    await until_kept(twins, message_id, lambda kept: kept.state == "generating")
    page = await opened(twins, accepted.chat_id)
    b = twins.b.engine.elsewhere
    await b.look()
    await twins.a.store.amend_prompt(prompt.id, "as it is", prompt.reply_to)
    await say(twins, message_id, "yes")
    b.hear(OWNER, Moved(accepted.chat_id, prompt.id))
    b.hear(OWNER, MoreText(accepted.chat_id, message_id, 0, "yes"))
    await looked(twins, page)
    assert page.page.text(prompt.id) == "as it is"
    page.connection.end()


async def test_a_reply_that_is_gone_on_with_meanwhile(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4, V9: it does not stay as it had ended until its next word."""
    accepted = await begin(twins)
    message_id, chat_id = accepted.message.id, accepted.chat_id
    await twins.a.stop(message_id=message_id)
    b = twins.b.engine.elsewhere
    await b.look()

    async def go_on() -> None:
        again = await twins.a.go_on(message_id)
        await until(lambda: twins.a.engine.generation(message_id).task is not None)
        b.hear(OWNER, announced(again))
        await until(lambda: message_id in b._watched._watched)

    read_slowly(twins, monkeypatch, after=go_on)
    page = await opened(twins, chat_id)
    await looked(twins, page)
    assert page.page.messages[message_id].state in {"queued", "generating"}
    page.connection.end()


async def test_a_tool_that_ends_meanwhile(twins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """H4, V8: whoever was told of it hears of it no more; a page that lists it does."""
    accepted = await begin(twins)
    message_id = accepted.message.id
    twins.model.feed(message_id, ToolStarted("c", "look", "{}"))
    await until_kept(twins, message_id, lambda kept: bool(kept.tools))
    b = twins.b.engine.elsewhere
    await b.look()

    async def end_it() -> None:
        twins.model.feed(message_id, ToolEnded("c", "found"))
        await until_kept(twins, message_id, lambda kept: kept.tools[0].state == "completed")
        await b.look()

    read_slowly(twins, monkeypatch, after=end_it)
    page = await opened(twins, accepted.chat_id)
    await looked(twins, page)
    assert page.page.messages[message_id].tools == {"c": "completed"}
    page.connection.end()


async def test_an_end_that_two_looks_find_meanwhile(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4: the second does not take for told what a page has just listed as going on."""
    accepted = await begin(twins)
    message_id = accepted.message.id
    b, store = twins.b.engine.elsewhere, twins.b.store
    get_message, late, found = store.get_message, asyncio.Event(), asyncio.Event()

    async def read_late(wanted: str) -> Any:
        if wanted != message_id:
            return await get_message(wanted)
        monkeypatch.setattr(store, "get_message", get_message)
        read = await get_message(wanted)
        found.set()
        await late.wait()
        return read

    looks: list[asyncio.Task[Any]] = []

    async def end_it() -> None:
        twins.model.feed(message_id, None)
        await until(lambda: not twins.a.engine.running())
        monkeypatch.setattr(store, "get_message", read_late)
        looks.append(asyncio.create_task(b.look()))
        await found.wait()
        await b.look()

    read_slowly(twins, monkeypatch, after=end_it)
    page = await opened(twins, accepted.chat_id)
    late.set()
    await asyncio.gather(*looks)
    await b.look()
    await looked(twins, page)
    assert page.page.messages[message_id].state == "completed"
    page.connection.end()


async def test_a_list_of_chats_in_which_a_reply_ends_meanwhile(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4: it does not call it generating for ever, nor what began meanwhile idle."""
    accepted = await begin(twins)
    twins.b.bus.unfollow(accepted.chat_id, twins.b.heard)
    b, store = twins.b.engine, twins.b.store
    await b.elsewhere.look()
    chats = await store.list_chats(OWNER, query="", limit=50, before=None)
    assert chats[0].state == "generating"
    made_elsewhere = store.made_elsewhere

    async def read(*args: Any) -> Any:
        found = await made_elsewhere(*args)
        monkeypatch.undo()
        twins.model.feed(accepted.message.id, None)
        await until(lambda: not twins.a.engine.running())
        return found

    monkeypatch.setattr(store, "made_elsewhere", read)
    (listed,) = await b.with_states(OWNER, chats)
    assert listed.state == "idle"
    twins.b.bus.follow(accepted.chat_id, twins.b.heard)
    await twins.a.send("two", accepted.chat_id)
    (listed,) = await b.with_states(OWNER, [listed])
    assert listed.state != "idle"


async def test_a_text_that_is_too_long_for_a_frame_is_asked_for_until_it_is_there(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4, B5: a page that has its beginning is sent what comes behind, not the same again."""
    monkeypatch.setattr(tails, "MOST_TEXT", 40)
    accepted = await begin(twins, "0123456789" * 10)
    page, epoch = Wire(twins.b), twins.b.engine.epoch
    offsets: dict[str, int] = {}
    for _ in range(4):
        await page.opens(accepted.chat_id, offsets=offsets, epoch=epoch)
        offsets = page.page.offsets()
    assert page.page.text(accepted.message.id) == "0123456789" * 10
    page.connection.end()


async def test_reasoning_that_was_stopped_before_it_was_shown(twins: Any) -> None:
    """T7, H4: what another process read of it before the end does not stay."""
    accepted = await begin(twins)
    message_id, store = accepted.message.id, twins.b.store
    page = await opened(twins, accepted.chat_id)
    made = twins.a.engine.generation(message_id)
    twins.model.feed(message_id, Reasoning("hmm"))
    await until_kept(twins, message_id, lambda kept: kept.reasoning == "hmm")
    made.reasoning.cut(0)  # as where it was committed, and not shown yet
    await twins.b.engine.elsewhere.look()
    await page.idle()
    assert page.page.messages[message_id].reasoning.decode("utf-16-le") == "hmm"
    await twins.a.stop(message_id=message_id)
    await twins.b.engine.elsewhere.look()
    await page.idle()
    assert (await store.get_message(message_id)).reasoning is None
    assert page.page.messages[message_id].reasoning == b""
    page.connection.end()


async def test_an_end_there_that_is_told_after_an_end_here(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4: a state that was read before that is not told behind it."""
    accepted = await begin(twins)
    twins.model.feed(accepted.message.id, None)
    await until(lambda: not twins.a.engine.running())
    mine = await twins.b.send("two", accepted.chat_id)
    await until(lambda: twins.b.engine.generation(mine.message.id).task is not None)
    await say_here(twins, mine.message.id, "yes")
    get_chat = twins.b.store.get_chat

    async def read(chat_id: str) -> Any:
        found = await get_chat(chat_id)
        monkeypatch.undo()
        assert found.state == "generating"
        twins.model.feed(mine.message.id, None)
        await until(lambda: not twins.b.engine.running())
        return found

    kept = await twins.b.store.get_message(accepted.message.id)
    assert kept.state is MessageState.COMPLETED
    monkeypatch.setattr(twins.b.store, "get_chat", read)
    await twins.b.engine.elsewhere._tell_ended(kept)
    await until(lambda: not len(twins.b.engine.background))
    assert twins.b.heard.chats[-1].state == "idle"


async def say_here(twins: Any, message_id: str, text: str) -> None:
    """Let B say something."""
    twins.model.feed(message_id, text)
    made = twins.b.engine.generation(message_id)
    await until(lambda: str(made.text) == text)


async def test_a_thought_that_the_answer_begins_like(twins: Any) -> None:
    """T7, H4: a page that is given the answer's beginning alone lacks nothing of the rest."""
    accepted = await begin(twins, "so ")
    message_id = accepted.message.id
    twins.model.feed(message_id, WasThought())
    await until_kept(twins, message_id, lambda kept: kept.reasoning == "so ")
    page = await opened(twins, accepted.chat_id)
    twins.model.feed(message_id, "so it is")
    await until_kept(twins, message_id, lambda kept: kept.text == "so it is")
    await twins.b.engine.elsewhere.look()
    await page.idle()
    assert page.page.text(message_id) == "so it is"
    page.connection.end()


async def test_a_reply_that_ended_is_not_said_to_be_made(
    twins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4: by a look that read it before, nor by a page that was given what is older."""
    accepted = await begin(twins)
    page = await opened(twins, accepted.chat_id)
    b, store = twins.b.engine.elsewhere, twins.b.store
    asked = await twins.a.send("two", accepted.chat_id)
    message_id, get_message = asked.message.id, store.get_message
    late, found = asyncio.Event(), asyncio.Event()

    async def read_late(wanted: str) -> Any:
        read = await get_message(wanted)
        if wanted == message_id:
            monkeypatch.setattr(store, "get_message", get_message)
            found.set()
            await late.wait()
        return read

    monkeypatch.setattr(store, "get_message", read_late)
    looks = asyncio.create_task(b.look())
    await found.wait()
    b.hear(OWNER, announced(asked))
    await until(lambda: message_id in page.page.messages)
    for each in (accepted, asked):
        twins.model.feed(each.message.id, "done", None)
    await until(lambda: not twins.a.engine.running())
    await b.look()
    await page.end_of(message_id)
    late.set()
    await looks
    await looked(twins, page)
    told = [frame["request_id"] for frame in page.page.of_type("accepted")]
    assert told.count(asked.request_id) == 1
    page.connection.end()
