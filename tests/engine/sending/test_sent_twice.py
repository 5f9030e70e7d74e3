"""Whatever is asked for twice counts once: a page asks again when it has heard nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.client_frames import Resume, Unqueue
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from jupyter_stop_chat.wire.server_frames import Accepted
from tests.engine.bench import OWNER, Bench, new_id, refused

WHENS = ("waits", "runs", "ended", "restarted")


def answering(turn):
    return [f"re {turn.messages[-1].text}"]


def gated(turn):
    return ["x", Gate()]


async def resume(b: Bench, chat_id: str) -> None:
    await b.engine.resume(OWNER, Resume(type="resume", chat_id=chat_id))


async def come_to(b: Bench, bench: Any, when: str, accepted: Accepted) -> Bench:
    """Let a reply that waits behind another one come so far; return who is asked again then."""
    lane = b.engine.registry.lane(OWNER, accepted.chat_id)
    ahead = lane.running
    if when == "waits":
        return b
    b.handler.script = gated if when == "runs" else answering
    await b.stop(message_id=ahead.id)
    await resume(b, accepted.chat_id)
    if when == "runs":
        await b.shown(accepted, "x" if not accepted.message.text else f"{accepted.message.text}x")
        return b
    await b.end(accepted)
    await b.quiet()
    return bench(answering, store=b.store) if when == "restarted" else b


async def end(b: Bench, chat_id: str) -> None:
    for _ in range(3):
        await b.stop(chat_id=chat_id)
        await resume(b, chat_id)
    await b.stop(all=True)


async def behind(b: Bench) -> Accepted:
    """Let a reply be made, and something be asked for while it is."""
    b.handler.script = answering
    first = await b.send("first")
    await b.end(first)
    b.handler.script = gated
    ahead = await b.send("ahead", first.chat_id)
    await b.shown(ahead, "x")
    return first


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("kind", ["send", "edit", "regenerate", "continue", "edit where it waits"])
async def test_a_request_counts_once(bench, kind, when):
    """B5, V6: before it begins, while it runs, after its end, and for a server that is new."""
    b = bench(answering)
    request_id = new_id()
    if kind == "continue":
        b.handler.script = gated
        partial = await b.send("first")
        await b.shown(partial, "x")
        await b.stop(message_id=partial.message.id)
        ahead = await b.send("ahead", partial.chat_id)
        await b.shown(ahead, "x")
        first = partial
    else:
        first = await behind(b)
    waiting = await b.send("waits", first.chat_id) if kind == "edit where it waits" else None

    def ask(b: Bench) -> Any:
        return {
            "send": lambda: b.send("second", first.chat_id, request_id=request_id),
            "edit": lambda: b.edit(first.user_message.id, "second", request_id=request_id),
            "regenerate": lambda: b.regenerate(first.message.id, request_id),
            "continue": lambda: b.go_on(first.message.id, request_id),
            "edit where it waits": lambda: b.edit(
                waiting.user_message.id if waiting else "", "second", request_id=request_id
            ),
        }[kind]()

    accepted = await ask(b)
    asked = await come_to(b, bench, when, accepted)
    before = await asked.store.get_messages(first.chat_id)
    made = len(b.handler.replies)
    again = await ask(asked)
    assert again.request_id == request_id
    assert again.message.id == accepted.message.id
    assert again.user_message.id == accepted.user_message.id
    assert again.user_message.text == accepted.user_message.text
    states = {"waits": MessageState.QUEUED, "runs": MessageState.GENERATING}
    assert again.message.state is states.get(when, MessageState.COMPLETED)
    after = await asked.store.get_messages(first.chat_id)
    assert [each.id for each in after] == [each.id for each in before]
    assert len(b.handler.replies) == made
    # And a stop finds it by that request, however late.
    (result,) = await asked.stop(request_id=request_id)
    assert result.message_id == accepted.message.id
    is_live = when in states
    assert result.outcome is (Outcome.INTERRUPTED if is_live else Outcome.ALREADY_COMPLETED)
    (result,) = await asked.stop(request_id=request_id)
    assert result.outcome.startswith("already_")
    await end(b, first.chat_id)


async def test_an_earlier_edit_that_is_repeated_takes_no_later_one_back(bench):
    """B10: the words that came last stand."""
    b = bench()
    first = await behind(b)
    waiting = await b.send("one", first.chat_id)
    request_id = new_id()
    await b.edit(waiting.user_message.id, "two", request_id=request_id)
    await b.edit(waiting.user_message.id, "three")
    again = await b.edit(waiting.user_message.id, "two", request_id=request_id)
    assert again.user_message.text == "three"
    at_once = [b.edit(waiting.user_message.id, "four", request_id=each) for each in [new_id()] * 3]
    answers = await asyncio.gather(*at_once)
    assert {each.user_message.text for each in answers} == {"four"}
    await end(b, first.chat_id)


async def test_a_stop_that_came_before_the_edit_that_it_means(bench):
    """S6: it is remembered, and stops what waits."""
    b = bench()
    first = await behind(b)
    waiting = await b.send("one", first.chat_id)
    request_id = new_id()
    (result,) = await b.stop(request_id=request_id)
    assert result.outcome is Outcome.REMEMBERED
    changed = await b.edit(waiting.user_message.id, "two", request_id=request_id)
    assert changed.message.id == waiting.message.id
    assert (await b.end(waiting)).state is MessageState.INTERRUPTED
    await end(b, first.chat_id)


@pytest.mark.parametrize("when", ["at once", "later", "restarted"])
async def test_a_prompt_is_taken_back_once(bench, when):
    """B10: asked for again it stays so; and what has begun cannot be taken back at any time."""
    b = bench()
    first = await behind(b)
    waiting = await b.send("one", first.chat_id)

    def withdraw(b: Bench, message_id: str = waiting.message.id, owner: str = OWNER) -> Any:
        return b.engine.unqueue(owner, Unqueue(type="unqueue", message_id=message_id))

    if when == "at once":
        await asyncio.gather(*(withdraw(b) for _ in range(3)))
    else:
        await withdraw(b)
    await end(b, first.chat_id)
    await b.quiet()
    asked = bench(answering, store=b.store) if when == "restarted" else b
    await withdraw(asked)
    message = await asked.store.get_message(waiting.message.id)
    assert message.discarded
    for message_id, owner, code in (
        (first.message.id, OWNER, ErrorCode.NOT_POSSIBLE_NOW),
        (waiting.message.id, "eve", ErrorCode.UNKNOWN_MESSAGE),
        (first.user_message.id, OWNER, ErrorCode.UNKNOWN_MESSAGE),
        (new_id(), OWNER, ErrorCode.UNKNOWN_MESSAGE),
    ):
        with pytest.raises(StopChatError) as caught:
            await withdraw(asked, message_id, owner)
        assert caught.value.code is code


async def test_a_request_that_is_sent_twice_counts_once(bench):
    """At the same time, while it runs, and after its end."""
    b = bench(["x", Gate()])
    request_id = new_id()
    answers = await asyncio.gather(*(b.send(request_id=request_id) for _ in range(5)))
    accepted = answers[0]
    assert {answer.message.id for answer in answers} == {accepted.message.id}
    await b.shown(accepted, "x")
    again = await b.send(request_id=request_id)
    assert again.message.state is MessageState.GENERATING
    assert again.message.text == "x"
    await b.stop(message_id=accepted.message.id)
    late = await b.send(request_id=request_id)
    assert late.message.id == accepted.message.id
    assert late.message.state is MessageState.INTERRUPTED
    assert late.user_message == accepted.user_message
    assert len(b.handler.replies) == 1
    assert len(await b.store.get_messages(accepted.chat_id)) == 2


async def test_a_request_that_was_carried_out_is_answered_whatever_has_changed(bench):
    """B5: no model any more, no room, another limit, a chat that is busy: it was done."""
    b = bench(["ok"], max_generations_per_owner=1, max_prompt_length=10)
    request_id = new_id()
    first = await b.send("a prompt", request_id=request_id)
    await b.end(first)
    b.engine._choose = lambda wanted, owner: None
    assert (await b.send("a prompt", request_id=request_id)).message.id == first.message.id
    assert await refused(b.send("another")) is ErrorCode.NO_MODEL
    b.engine._choose = lambda wanted, owner: "test:scripted"
    assert (await b.send("far too long a prompt", request_id=request_id)).message.id == (
        first.message.id
    )
    b.handler.script = gated
    second = await b.send("second", first.chat_id)
    await b.shown(second, "x")
    for policy in ("reject", "queue"):
        again = await b.send("a prompt", first.chat_id, request_id=request_id, policy=policy)
        assert (again.message.id, again.message.state) == (
            first.message.id,
            MessageState.COMPLETED,
        )
    await b.stop(chat_id=first.chat_id)


async def test_one_that_ended_is_sent_twice_at_once(bench):
    b = bench()
    request_id = new_id()
    accepted = await b.send(request_id=request_id)
    await b.end(accepted)
    answers = await asyncio.gather(*(b.send(request_id=request_id) for _ in range(3)))
    assert {answer.message.id for answer in answers} == {accepted.message.id}
    assert {answer.message.state for answer in answers} == {MessageState.COMPLETED}


async def test_a_refusal_is_the_same_for_all_who_asked(bench):
    b = bench()
    request_id, chat_id = new_id(), new_id()
    answers = await asyncio.gather(
        *(b.send(chat_id=chat_id, request_id=request_id) for _ in range(3)),
        return_exceptions=True,
    )
    assert [answer.code for answer in answers] == [ErrorCode.UNKNOWN_CHAT] * 3


async def test_the_same_request_of_another_owner_is_another(bench):
    b = bench()
    request_id = new_id()
    mine, hers = (
        await b.send(request_id=request_id),
        await b.send(request_id=request_id, owner="eve"),
    )
    assert mine.message.id != hers.message.id
    await b.end(mine)
    await b.end(hers)
