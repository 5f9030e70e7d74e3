"""What a store does not write is not so: an edit, an order, a chat that was deleted meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.store.operations import AmendPrompt, BeginTurn
from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.client_frames import Reorder, Resume
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Message
from jupyter_stop_chat.wire.server_frames import Accepted
from tests.engine.bench import OWNER, Bench, new_id, turns_until
from tests.engine.sending.test_queue import refused, reorder, texts, with_queue

BODIES = ("2", "3", "4")


async def stored(b: Bench, message_id: str) -> Message:
    message = await b.store.get_message(message_id)
    assert message is not None
    return message


async def go_on(b: Bench, first: Accepted, last: Accepted) -> None:
    await b.stop(message_id=first.message.id)
    await b.engine.resume(OWNER, Resume(type="resume", chat_id=first.chat_id))
    await b.end(last)


async def test_an_edit_that_was_not_written_was_not_made(bench):
    """B10: not when it is asked for again, not for the model, and it can be made later."""
    b = bench()
    first, (second,) = await with_queue(b, "2")
    prompt_id, request_id = second.user_message.id, new_id()
    b.store.fails = (AmendPrompt,)
    for _ in range(2):
        work = b.edit(prompt_id, "two", request_id=request_id)
        assert await refused(work) is ErrorCode.INTERNAL
        assert b.engine.generation(second.message.id).prompt.text == "2"
    at_once = [b.edit(prompt_id, "two", request_id=request_id) for _ in range(3)]
    answers = await asyncio.gather(*at_once, return_exceptions=True)
    assert all(isinstance(each, StopChatError) for each in answers), answers
    b.store.fails = ()
    await b.edit(prompt_id, "two", request_id=request_id)
    assert (await stored(b, prompt_id)).text == "two"
    await go_on(b, first, second)
    assert (await b.end(second)).text == "re two"


async def test_an_edit_is_answered_once_it_is_written(bench):
    """B10: also to who asks a second time meanwhile."""
    b = bench()
    first, (second,) = await with_queue(b, "2")
    request_id = new_id()
    b.store.open_for_writing.clear()

    def ask(body: str, request_id: str) -> asyncio.Task[Accepted]:
        return asyncio.create_task(b.edit(second.user_message.id, body, request_id=request_id))

    asked = [ask("two", request_id)]
    await turns_until(lambda: b.engine.registry.by_request(OWNER, request_id) is not None)
    asked += [ask("two", request_id), ask("three", new_id())]
    await b.store.steps(20)
    assert not any(each.done() for each in asked)
    assert b.engine.generation(second.message.id).prompt.text == "2"
    b.store.open_for_writing.set()
    assert [(await each).user_message.text for each in asked[::2]] == ["two", "three"]
    await asked[1]
    await go_on(b, first, second)
    assert (await b.end(second)).text == "re three"


async def test_an_order_that_was_not_written_was_not_made(bench):
    """B10: those that wait keep their turns, and their links never bite their own tail."""
    b = bench()
    first, waiting = await with_queue(b, *BODIES)
    ids = [each.message.id for each in waiting]
    lane = b.engine.registry.lane(OWNER, first.chat_id)
    b.store.fails = (AmendPrompt,)
    for _ in range(2):
        work = reorder(b, first.chat_id, ids[2])
        assert await refused(work) is ErrorCode.INTERNAL
        assert [each.id for each in lane.waiting] == ids
    b.store.fails = ()
    await reorder(b, first.chat_id, ids[2])
    assert [each.id for each in lane.waiting] == [ids[2], ids[0], ids[1]]
    follows = [(await stored(b, each.user_message.id)).reply_to for each in waiting]
    assert follows == [ids[2], ids[0], first.message.id]
    await go_on(b, first, waiting[1])
    expected = ["first", "x", "4", "re 4", "2", "re 2", "3", "re 3"]
    assert await texts(b, ids[1]) == expected


async def test_an_order_of_which_only_a_part_was_written(bench):
    """B10: each reply is made behind the one before it in the order that counts."""
    b = bench()
    first, waiting = await with_queue(b, *BODIES)
    ids = [each.message.id for each in waiting]
    write, left = b.store.amend_prompt, [2]

    async def fail_later(*args: object) -> None:
        if not left:
            raise StopChatError(ErrorCode.INTERNAL)
        left.pop()
        await write(*args)

    b.store.amend_prompt = fail_later
    left[:] = [1]
    assert await refused(reorder(b, first.chat_id, ids[2], ids[1])) is ErrorCode.INTERNAL
    b.store.amend_prompt = write
    await go_on(b, first, waiting[2])
    expected = ["first", "x", "2", "re 2", "3", "re 3", "4", "re 4"]
    assert await texts(b, ids[2]) == expected


async def test_two_orders_at_once_of_which_the_first_is_refused(bench):
    """B10: what the second one asked for stays."""
    b = bench()
    first, waiting = await with_queue(b, *BODIES)
    ids = [each.message.id for each in waiting]
    b.store.fails = (AmendPrompt,)
    b.store.open_for_writing.clear()

    def ask(*message_ids: str) -> asyncio.Task[None]:
        frame = Reorder(type="reorder", chat_id=first.chat_id, message_ids=list(message_ids))
        return asyncio.create_task(b.engine.reorder(OWNER, frame))

    one = ask(ids[2])
    lane = b.engine.registry.lane(OWNER, first.chat_id)
    await turns_until(lane.write_lock.locked)
    two = ask(ids[1])
    b.store.open_for_writing.set()
    assert await refused(one) is ErrorCode.INTERNAL
    b.store.fails = ()
    await asyncio.gather(two, return_exceptions=True)
    await reorder(b, first.chat_id, ids[1])
    assert [each.id for each in lane.waiting] == [ids[1], ids[0], ids[2]]
    await go_on(b, first, waiting[2])
    expected = ["first", "x", "3", "re 3", "2", "re 2", "4", "re 4"]
    assert await texts(b, ids[2]) == expected


@pytest.mark.parametrize("slow", [True, False])
async def test_a_prompt_that_is_sent_while_its_chat_is_deleted(bench, slow):
    """V4, S1: nothing is made for a chat that is gone; nobody could stop it."""
    b = bench(["x", Gate()])
    first = await b.send("first")
    await b.shown(first, "x")
    if slow:
        b.store.open_for_writing.clear()
    deleting = asyncio.create_task(b.engine.delete_chat(OWNER, first.chat_id))
    stopped = b.engine.generation(first.message.id)
    await turns_until(lambda: stopped.stop is not None)
    sending = asyncio.create_task(b.send("late", first.chat_id))
    # Written behind the end of the first one, and so before the chat goes.
    waiting = b.store._writer._waiting
    await turns_until(lambda: not slow or any(isinstance(each[0], BeginTurn) for each in waiting))
    b.store.open_for_writing.set()
    await asyncio.gather(deleting, sending, return_exceptions=True)
    assert b.engine.running() == []
    await b.quiet()
    assert all(reply.ended.is_set() for reply in b.handler.replies)
