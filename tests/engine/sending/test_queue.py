"""The queue: paused by a stop, edited, put in order, taken back, sent next."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.engine.changes import MessageMoved
from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.client_frames import Reorder, Resume, Unqueue
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Attachment, MessageState, Outcome
from jupyter_stop_chat.wire.server_frames import Accepted
from tests.engine.bench import OWNER, Bench, new_id


def answering(turn):
    return [f"re {turn.messages[-1].text}"]


async def with_queue(b: Bench, *bodies: str) -> tuple[Accepted, list[Accepted]]:
    """Let one run, and others wait behind it."""
    b.handler.script = lambda turn: ["x", Gate()]
    first = await b.send("first")
    await b.shown(first, "x")
    waiting = [await b.send(body, first.chat_id) for body in bodies]
    b.handler.script = answering
    return first, waiting


async def unqueue(b: Bench, accepted: Accepted, owner: str = OWNER) -> None:
    await b.engine.unqueue(owner, Unqueue(type="unqueue", message_id=accepted.message.id))


async def resume(b: Bench, chat_id: str, owner: str = OWNER) -> None:
    await b.engine.resume(owner, Resume(type="resume", chat_id=chat_id))


async def reorder(b: Bench, chat_id: str, *ids: str, owner: str = OWNER) -> None:
    frame = Reorder(type="reorder", chat_id=chat_id, message_ids=list(ids))
    await b.engine.reorder(owner, frame)


async def texts(b: Bench, message_id: str) -> list[str]:
    return [message.text for message in await b.store.get_thread(message_id)]


async def refused(work) -> ErrorCode:
    with pytest.raises(StopChatError) as caught:
        await work
    return caught.value.code


@pytest.mark.parametrize("by", ["message", "request", "chat", "all"])
async def test_stop_keeps_a_queue_and_pauses_it(bench, by):
    """B10: however the stop was aimed."""
    b = bench()
    first, (second, third) = await with_queue(b, "2", "3")
    target = {
        "message": {"message_id": first.message.id},
        "request": {"request_id": first.request_id},
        "chat": {"chat_id": first.chat_id},
        "all": {"all": True},
    }[by]
    results = await b.stop(**target)
    assert [result.message_id for result in results] == [first.message.id]
    await b.engine.background.settle()
    assert (await b.engine.chat(OWNER, first.chat_id)).state == "paused"
    assert b.heard.chats[-1].state == "paused"
    assert len(b.handler.replies) == 1
    assert await b.stop(chat_id=first.chat_id) == ()
    await resume(b, first.chat_id)
    await b.end(third)
    assert await texts(b, third.message.id) == ["first", "x", "2", "re 2", "3", "re 3"]
    assert second.message.state is MessageState.QUEUED


async def test_resume_twice_and_where_nothing_waits(bench):
    b = bench()
    first, (second,) = await with_queue(b, "2")
    await resume(b, first.chat_id)
    assert len(b.handler.replies) == 1
    await b.stop(chat_id=first.chat_id)
    await asyncio.gather(resume(b, first.chat_id), resume(b, first.chat_id))
    await b.end(second)
    await resume(b, first.chat_id)
    assert await refused(resume(b, first.chat_id, "eve")) is ErrorCode.UNKNOWN_CHAT
    assert await refused(resume(b, new_id())) is ErrorCode.UNKNOWN_CHAT


@pytest.mark.parametrize("soon", [True, False])
async def test_a_prompt_that_is_sent_into_a_paused_queue_goes_first(bench, soon):
    """B10, J5: it is what the person wants now; also within the milliseconds of the stop."""
    b = bench()
    first, (second,) = await with_queue(b, "2")
    stopping = asyncio.create_task(b.stop(chat_id=first.chat_id))
    await asyncio.sleep(0)
    if not soon:
        await stopping
        await b.engine.background.settle()
    now = await b.send("now", first.chat_id)
    await stopping
    await b.end(second)
    assert await texts(b, second.message.id) == ["first", "x", "now", "re now", "2", "re 2"]
    assert now.user_message.reply_to == first.message.id


async def test_a_refused_prompt_leaves_a_paused_queue_paused(bench):
    b = bench()
    first, (second,) = await with_queue(b, "2")
    await b.stop(chat_id=first.chat_id)
    # Sent once more, after a reconnect: it has long been answered.
    again = await b.send("first", first.chat_id, request_id=first.request_id)
    assert again.message.id == first.message.id
    assert (await b.engine.chat(OWNER, first.chat_id)).state == "paused"
    await resume(b, first.chat_id)
    await b.end(second)


async def test_one_that_waits_is_taken_back(bench):
    """B10: it leaves the chat, and the next one does not follow it."""
    b = bench()
    first, (second, third) = await with_queue(b, "2", "3")
    await unqueue(b, second)
    message = await b.store.get_message(second.message.id)
    assert (message.state, message.discarded) == (MessageState.INTERRUPTED, True)
    await unqueue(b, second)  # asked for twice, it is done once
    assert await refused(unqueue(b, second, "eve")) is ErrorCode.UNKNOWN_MESSAGE
    assert await refused(unqueue(b, third, "eve")) is ErrorCode.UNKNOWN_MESSAGE
    assert await refused(unqueue(b, first)) is ErrorCode.NOT_POSSIBLE_NOW
    await b.stop(chat_id=first.chat_id)
    await resume(b, first.chat_id)
    await b.end(third)
    assert await texts(b, third.message.id) == ["first", "x", "3", "re 3"]


async def test_one_that_waits_is_stopped_and_does_not_start(bench):
    """J4, J2: it stays in the chat as stopped, and nothing is asked for it."""
    b = bench()
    first, (second, third) = await with_queue(b, "2", "3")
    b.store.turns = 20
    stopping = asyncio.create_task(b.stop(message_id=second.message.id))
    await asyncio.sleep(0)
    # The one before ends in the very moment.
    await b.stop(message_id=first.message.id)
    (result,) = await stopping
    assert result.outcome is Outcome.INTERRUPTED
    assert result.receipt.provider == "not_started"
    await resume(b, first.chat_id)
    await b.end(third)
    assert [reply.turn.messages[-1].text for reply in b.handler.replies] == ["first", "3"]
    assert await texts(b, third.message.id) == ["first", "x", "2", "", "3", "re 3"]
    told = b.handler.replies[-1].turn.messages
    assert [each.text for each in told] == ["first", "x", "3"]


async def test_taking_back_the_last_one_ends_the_pause(bench):
    b = bench()
    first, (second,) = await with_queue(b, "2")
    await b.stop(chat_id=first.chat_id)
    await unqueue(b, second)
    assert (await b.engine.chat(OWNER, first.chat_id)).state == "idle"
    assert (await b.end(await b.send("3", first.chat_id))).text == "re 3"


async def test_one_that_waits_is_edited_in_place(bench):
    """B10: the same messages, other words, and the model is given these."""
    b = bench()
    first, (second,) = await with_queue(b, "2")
    changed = await b.edit(second.user_message.id, "two 🗼")
    assert changed.message.id == second.message.id
    assert changed.user_message.id == second.user_message.id
    assert (changed.user_message.text, changed.user_message.text_length) == ("two 🗼", 6)
    told = [change.message for change in b.heard.told if isinstance(change, MessageMoved)]
    assert told[-1] == changed.user_message
    await b.stop(chat_id=first.chat_id)
    await resume(b, first.chat_id)
    assert (await b.end(second)).text == "re two 🗼"
    assert len(await b.store.get_messages(first.chat_id)) == 4


async def test_one_that_waits_keeps_what_is_left_attached(bench):
    """U25: what is left goes with it still, and the model is given that alone."""
    b = bench()
    first, (second,) = await with_queue(b, "2")
    await unqueue(b, second)
    notes = [Attachment(name=name, text=f"text of {name}") for name in "ab"]
    notes.append(Attachment(name="c", text="text of c", kind="context"))
    second = await b.send("2", first.chat_id, attachments=notes)
    prompt_id = second.user_message.id
    changed = await b.edit(prompt_id, "two", keeps=[0, 2])
    assert changed.message.id == second.message.id
    assert "".join(each.name for each in changed.user_message.attachments) == "ac"
    changed = await b.edit(prompt_id, "two", keeps=[1, 7])
    assert "".join(each.name for each in changed.user_message.attachments) == "c"
    changed = await b.edit(prompt_id, "three")
    assert changed.user_message.attachments == (notes[2],)
    assert (await b.store.get_message(prompt_id)).attachments == (notes[2],)
    await b.stop(chat_id=first.chat_id)
    await resume(b, first.chat_id)
    reply = await b.end(second)
    assert "three" in reply.text
    assert "text of c" in reply.text
    assert "text of a" not in reply.text


async def test_an_edit_in_the_moment_of_the_start_is_not_lost(bench):
    """B10: either the model is given the new words, or it is a new version: never neither."""
    for turns in range(12):
        b = bench()
        first, (second,) = await with_queue(b, "2")
        stopping = asyncio.create_task(b.stop(chat_id=first.chat_id))
        b.engine.registry.lane(OWNER, first.chat_id).paused = False
        await stopping
        b.engine._queue.resume(OWNER, first.chat_id)
        await b.store.steps(turns)
        changed = await b.edit(second.user_message.id, "two")
        await b.end(changed)
        await b.quiet()
        asked = [reply.turn.messages[-1].text for reply in b.handler.replies]
        assert asked in (["first", "two"], ["first", "2", "two"])
        if asked == ["first", "two"]:
            assert changed.message.id == second.message.id
        else:
            assert changed.user_message.version_of == second.user_message.id


async def test_what_waits_is_put_in_order(bench):
    """B10: each follows the one before it, for the model as well."""
    b = bench()
    first, (second, third, fourth) = await with_queue(b, "2", "3", "4")
    await reorder(b, first.chat_id, fourth.message.id, second.message.id)
    parents = {
        message.text: message.reply_to for message in await b.store.get_messages(first.chat_id)
    }
    assert parents["4"] == first.message.id
    assert parents["2"] == fourth.message.id
    assert parents["3"] == second.message.id
    await b.stop(chat_id=first.chat_id)
    await resume(b, first.chat_id)
    await b.end(third)
    assert await texts(b, third.message.id) == [
        *("first", "x", "4", "re 4", "2", "re 2", "3", "re 3")
    ]
    # And what comes after that follows the last one, in whichever order they were written.
    after = await b.send("after", first.chat_id)
    await b.end(after)
    assert after.user_message.reply_to == third.message.id


async def test_an_order_that_cannot_be(bench):
    b = bench()
    first, (second, _third) = await with_queue(b, "2", "3")
    other = await b.send("other", owner="eve")
    chat_id = first.chat_id
    assert await refused(reorder(b, chat_id, new_id())) is ErrorCode.UNKNOWN_MESSAGE
    assert await refused(reorder(b, chat_id, first.message.id)) is ErrorCode.NOT_POSSIBLE_NOW
    assert await refused(reorder(b, chat_id, other.message.id)) is ErrorCode.UNKNOWN_MESSAGE
    ids = (second.message.id,)
    assert await refused(reorder(b, chat_id, *ids, owner="eve")) is ErrorCode.UNKNOWN_CHAT
    assert await refused(reorder(b, new_id(), *ids)) is ErrorCode.UNKNOWN_CHAT
    await reorder(b, chat_id)
    await reorder(b, chat_id, *(ids * 3))
    await b.engine.delete_chat(OWNER, chat_id)


async def test_a_discarded_one_is_not_followed(bench):
    """V4, J5: the prompt that waited behind it follows the one before."""
    b = bench()
    kept = await b.end(await b.send("kept"))
    b.handler.script = lambda turn: ["x", Gate()]
    dropped = await b.send("dropped", kept.chat_id)
    await b.shown(dropped, "x")
    waiting = await b.send("waits", kept.chat_id)
    assert waiting.user_message.reply_to == dropped.message.id
    b.handler.script = answering
    await b.stop(message_id=dropped.message.id, discard=True)
    await resume(b, kept.chat_id)
    await b.end(waiting)
    assert await texts(b, waiting.message.id) == ["kept", "Hello.", "waits", "re waits"]


async def test_one_that_was_stopped_behind_another_bites_no_tail(bench):
    """J5: stopped while it waited behind one that waits still."""
    b = bench()
    first, (second, third, fourth) = await with_queue(b, "2", "3", "4")
    await b.stop(message_id=third.message.id)
    await b.stop(chat_id=first.chat_id)
    await resume(b, first.chat_id)
    await b.end(fourth)
    told = b.handler.replies[-1].turn.messages
    assert [each.text for each in told] == ["first", "x", "2", "re 2", "4"]
    after = await b.send("after", first.chat_id)
    await b.end(after)
    assert after.user_message.reply_to == fourth.message.id
    assert second.message.state is MessageState.QUEUED


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_a_paused_queue_stays_so_when_the_prompt_that_would_go_on_is_stopped(bench, when):
    """B10, V5: its stop came before it, or while it was accepted; nothing begins instead."""
    b = bench([Gate()])
    first = await b.send("one")
    await b.handler.next_reply()
    waits = await b.send("two", first.chat_id)
    await b.stop(chat_id=first.chat_id)
    asked = new_id()
    if when == "before":
        await b.stop(request_id=asked)
        stopped = await b.send("three", first.chat_id, request_id=asked)
    else:
        sending = asyncio.ensure_future(b.send("three", first.chat_id, request_id=asked))
        await asyncio.sleep(0)
        await b.stop(request_id=asked)
        stopped = await sending
    assert (await b.end(stopped)).state is MessageState.INTERRUPTED
    assert b.engine.generation(waits.message.id).state is MessageState.QUEUED
    assert b.engine.registry.lane(OWNER, first.chat_id).paused
    assert len(b.handler.replies) == 1
    await b.stop(message_id=waits.message.id)
