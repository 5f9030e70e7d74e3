"""What is admitted, and what is refused."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.errors import ErrorCode
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from jupyter_stop_chat.wire.server_frames import Accepted
from tests.engine.bench import OWNER, new_id, refused


@pytest.mark.parametrize("body", ["", " ", "\n\t  ", "\u00a0\u2003"])
async def test_a_blank_prompt(bench, body):
    """L8."""
    b = bench()
    assert await refused(b.send(body)) is ErrorCode.BLANK_PROMPT
    assert await b.store.list_chats(OWNER) == []


async def test_a_prompt_may_be_so_long_and_no_longer(bench):
    """Lengths count UTF-16 code units, as the page counts them."""
    b = bench(max_prompt_length=10)
    assert (await b.send("🗼" * 5)).user_message.text_length == 10
    assert await refused(b.send("🗼" * 5 + "x")) is ErrorCode.PROMPT_TOO_LONG
    accepted = await b.send("x" * 10)
    await b.end(accepted)
    assert await refused(b.edit(accepted.user_message.id, "x" * 11)) is ErrorCode.PROMPT_TOO_LONG
    assert await refused(b.edit(accepted.user_message.id, " ")) is ErrorCode.BLANK_PROMPT


async def test_a_reply_may_be_so_long_and_no_longer(bench):
    b = bench(["1234", "5678", "9"], max_reply_length=6)
    message = await b.end(await b.send())
    assert (message.state, message.text) == (MessageState.FAILED, "123456")
    assert message.error.code is ErrorCode.REPLY_TOO_LONG


async def test_thinking_may_be_no_longer_than_a_reply(bench):
    from jupyter_stop_chat.ports.handler import Reasoning

    b = bench([Reasoning("1234"), Reasoning("5678"), "text"], max_reply_length=6)
    message = await b.end(await b.send())
    assert (message.error.code, message.reasoning) == (ErrorCode.REPLY_TOO_LONG, "123456")


async def test_a_reply_may_take_so_long_and_no_longer(bench):
    """Rule 10: ended as a failure, with its text, and its stream is closed."""
    b = bench(["text", Gate()], max_duration=600.0)
    accepted = await b.send()
    await b.shown(accepted, "text")
    assert 0 < b.expire(accepted) <= 600
    message = await b.end(accepted)
    assert message.state is MessageState.FAILED
    assert message.error.code is ErrorCode.TOOK_TOO_LONG
    assert message.text == "text"
    assert b.handler.replies[0].cancels == 1


async def test_one_that_takes_too_long_and_does_not_even_stop(bench):
    gate = Gate(swallow=-1)
    b = bench(["text", gate, "late"], stop_deadline=0.05)
    accepted = await b.send()
    await b.shown(accepted, "text")
    b.expire(accepted)
    message = await b.end(accepted)
    assert (message.error.code, message.text) == (ErrorCode.TOOK_TOO_LONG, "text")
    (result,) = await b.stop(message_id=message.id)
    assert result.outcome is Outcome.ALREADY_FAILED
    gate.open()
    await b.handler.replies[0].ended.wait()


async def test_a_stop_of_one_that_is_being_ended_joins_that_end(bench):
    gate = Gate(swallow=-1)
    b = bench(["text", gate, "late"], stop_deadline=0.1)
    accepted = await b.send()
    await b.shown(accepted, "text")
    await gate.reached.wait()
    b.expire(accepted)
    await gate.swallowed.wait()
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.ALREADY_FAILED
    gate.open()
    await b.handler.replies[0].ended.wait()


async def test_so_many_at_once_for_each_owner(bench):
    b = bench([Gate()], max_generations_per_owner=2)
    first = await b.send()
    await b.send(chat_id=first.chat_id)
    assert await refused(b.send()) is ErrorCode.TOO_MANY_GENERATIONS
    await b.send(owner="eve")
    await b.stop(all=True)
    await b.engine.delete_chat(OWNER, first.chat_id)
    await b.send()
    await b.stop(all=True)
    await b.stop(owner="eve", all=True)


async def test_so_many_chats_for_each_owner(bench):
    b = bench([Gate()], max_chats_per_owner=2)
    first, _ = await b.send(), await b.send()
    assert await refused(b.send()) is ErrorCode.TOO_MANY_CHATS
    await b.send(owner="eve")
    await b.send(chat_id=first.chat_id)
    await b.stop(all=True)
    await b.engine.delete_chat(OWNER, first.chat_id)
    await b.send()
    await b.stop(all=True)
    await b.stop(owner="eve", all=True)


async def test_chats_that_are_begun_at_once_are_counted(bench):
    """As many as there is room for, and not one more; one that fails leaves its room."""
    b = bench(["ok"], max_chats_per_owner=5)
    b.store.turns = 7
    kept = await b.send()
    answers = await asyncio.gather(*(b.send() for _ in range(20)), return_exceptions=True)
    made = [each for each in answers if isinstance(each, Accepted)]
    assert len(made) == 4
    refusals = {each.code for each in answers if not isinstance(each, Accepted)}
    assert refusals == {ErrorCode.TOO_MANY_CHATS}
    assert await b.store.count_chats(OWNER) == 5
    await b.quiet()
    await b.engine.delete_chat(OWNER, kept.chat_id)

    async def bring_in() -> None:
        async with b.engine.room.for_chat(OWNER):
            raise RuntimeError("a file that cannot be read")

    answers = await asyncio.gather(bring_in(), b.send(), return_exceptions=True)
    assert isinstance(answers[1], Accepted), "there is room again"


async def test_so_many_at_once_for_all(bench):
    b = bench([Gate()], max_generations=2)
    await b.send()
    await b.send(owner="eve")
    assert await refused(b.send(owner="bob")) is ErrorCode.SERVER_BUSY
    await b.stop(all=True)
    await b.stop(owner="eve", all=True)


async def test_too_many_that_do_not_stop(bench):
    """Rule 7: a new one is refused, with a clear error, until one of them ends."""
    gates: list[Gate] = []

    def script(turn):
        gates.append(Gate(swallow=-1))
        return ["x", gates[-1]]

    b = bench(script, max_stuck=2, stop_deadline=0.01)
    for _ in range(2):
        accepted = await b.send()
        await b.shown(accepted, "x")
        await b.stop(message_id=accepted.message.id)
    assert await refused(b.send()) is ErrorCode.TOO_MANY_STUCK
    gates[0].open()
    await b.handler.replies[0].ended.wait()
    await asyncio.sleep(0)
    accepted = await b.send()
    for gate in gates[1:]:
        gate.open()
    gates_to_open = asyncio.create_task(b.end(accepted))
    await b.handler.next_reply(3)
    gates[2].open()
    await gates_to_open


async def test_no_model(bench):
    b = bench(default_model=None)
    assert await refused(b.send()) is ErrorCode.NO_MODEL


async def test_an_unknown_chat_and_another_s(bench):
    """J6."""
    b = bench()
    accepted = await b.send()
    await b.end(accepted)
    assert await refused(b.send(chat_id=new_id())) is ErrorCode.UNKNOWN_CHAT
    assert await refused(b.send(chat_id=accepted.chat_id, owner="eve")) is ErrorCode.UNKNOWN_CHAT
    hers = b.edit(accepted.user_message.id, "new", owner="eve")
    assert await refused(hers) is ErrorCode.UNKNOWN_MESSAGE
    assert await refused(b.edit(accepted.message.id, "new")) is ErrorCode.UNKNOWN_MESSAGE
    assert await refused(b.regenerate(accepted.user_message.id)) is ErrorCode.UNKNOWN_MESSAGE
    assert await refused(b.engine.delete_chat("eve", accepted.chat_id)) is ErrorCode.UNKNOWN_CHAT
    assert await refused(b.engine.chat("eve", accepted.chat_id)) is ErrorCode.UNKNOWN_CHAT
