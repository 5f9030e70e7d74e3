"""What becomes of a prompt while a reply is being made in its chat."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.server_frames import Accepted
from tests.engine.bench import OWNER, Bench, new_id, refused, turns_until


async def running_chat(b: Bench) -> Accepted:
    accepted = await b.send("first")
    await b.shown(accepted, "x")
    return accepted


def gated(turn):
    return ["x", Gate()]


async def test_queue(bench):
    """V6: the default; in order, one at a time."""
    b = bench(lambda turn: [f"re {turn.messages[-1].text}"])
    b.store.turns = 5
    first = await b.send("1")
    rest = [await b.send(str(number), first.chat_id) for number in (2, 3, 4)]
    assert [each.message.state for each in rest] == [MessageState.QUEUED] * 3
    messages = [await b.end(each) for each in (first, *rest)]
    assert [message.text for message in messages] == ["re 1", "re 2", "re 3", "re 4"]
    assert [len(reply.turn.messages) for reply in b.handler.replies] == [1, 3, 5, 7]


async def test_interrupt(bench):
    """V6: the running one is replaced, with its receipt; the new one knows what it said."""
    b = bench(gated)
    first = await running_chat(b)
    b.handler.script = lambda turn: [f"re {turn.messages[-1].text}"]
    second = await b.send("second", first.chat_id, policy="interrupt")
    stopped = await b.end(first)
    assert (stopped.state, stopped.stop.reason) == (MessageState.INTERRUPTED, "replaced")
    assert (await b.end(second)).text == "re second"
    assert [each.text for each in b.handler.replies[1].turn.messages] == ["first", "x", "second"]


async def test_interrupt_goes_before_what_waits(bench):
    """V6, J5: and what waits follows it, in the model's eyes as well."""
    b = bench(gated)
    first = await running_chat(b)
    waiting = await b.send("waits", first.chat_id)
    b.handler.script = lambda turn: [f"re {turn.messages[-1].text}"]
    urgent = await b.send("urgent", first.chat_id, policy="interrupt")
    await b.end(waiting)
    assert urgent.user_message.reply_to == first.message.id
    thread = await b.store.get_thread(waiting.message.id)
    assert [message.text for message in thread] == [
        *("first", "x", "urgent", "re urgent", "waits", "re waits")
    ]


@pytest.mark.parametrize("count", [3, 30])
@pytest.mark.parametrize("pace", ["at once", "one by one"])
async def test_of_interrupts_in_a_row_the_last_one_is_answered(bench, count, pace):
    """V6, J5: it takes the place of those that had not begun; each is accepted and has its end."""
    gate = Gate(swallow=-1)  # it takes a while until it has let go
    # However long the prompts take to be written down: the first is not given up on meanwhile.
    b = bench(["x", gate], max_generations_per_owner=40, stop_deadline=1000.0)
    first = await running_chat(b)
    waiting = await b.send("waits", first.chat_id)
    b.handler.script = lambda turn: [f"re {turn.messages[-1].text}"]
    bodies = [str(number) for number in range(count)]
    if pace == "at once":
        sending = (b.send(body, first.chat_id, policy="interrupt") for body in bodies)
        urgent = list(await asyncio.gather(*sending))
    else:
        urgent = [await b.send(body, first.chat_id, policy="interrupt") for body in bodies]
    gate.open()
    ends = [await b.end(each) for each in urgent]
    await b.end(waiting)
    asked = [reply.turn.messages[-1].text for reply in b.handler.replies]
    assert asked == ["first", bodies[-1], "waits"]
    assert (ends[-1].state, ends[-1].text) == (MessageState.COMPLETED, f"re {bodies[-1]}")
    for end in ends[:-1]:
        assert (end.state, end.stop.reason) == (MessageState.INTERRUPTED, "replaced")
    assert (await b.end(first)).stop.reason == "replaced"
    told = [each.text for each in b.handler.replies[-1].turn.messages]
    assert told == ["first", "x", bodies[-1], f"re {bodies[-1]}", "waits"]
    # What the person wrote is in the chat, also where it was not answered.
    prompts = [each.text for each in await b.store.get_messages(first.chat_id)]
    assert set(bodies) <= set(prompts)


@pytest.mark.parametrize("how", ["send", "edit"])
async def test_an_interrupt_that_is_refused_stops_nothing(bench, monkeypatch, how):
    """V6: what cannot be done must not have cost the reply that ran."""
    b = bench(gated, policy="interrupt")
    first = await running_chat(b)

    async def refuse(*args, **options):
        raise StopChatError(ErrorCode.TOO_MANY_CHATS)

    monkeypatch.setattr(b.store, "begin_turn", refuse)
    asked = {
        "send": lambda: b.send("no", first.chat_id),
        "edit": lambda: b.edit(first.user_message.id, "no"),
    }[how]
    assert await refused(asked()) is ErrorCode.TOO_MANY_CHATS
    generation = b.engine.generation(first.message.id)
    assert (generation.state, generation.stop) == (MessageState.GENERATING, None)
    await b.stop(chat_id=first.chat_id)


async def test_an_interrupt_sent_again_after_its_end_stops_nothing(bench):
    """V6: sent twice, it counts once."""
    b = bench(["ok"])
    request_id = new_id()
    first = await b.send("once", request_id=request_id, policy="interrupt")
    await b.end(first)
    b.handler.script = gated
    second = await b.send("second", first.chat_id)
    await b.shown(second, "x")
    again = await b.send("once", first.chat_id, request_id=request_id, policy="interrupt")
    assert again.message.id == first.message.id
    assert b.engine.generation(second.message.id).stop is None
    await b.stop(chat_id=first.chat_id)


async def test_reject(bench):
    """V6."""
    b = bench(gated)
    first = await running_chat(b)
    assert await refused(b.send("no", first.chat_id, policy="reject")) is ErrorCode.BUSY
    await b.send("elsewhere", policy="reject")
    # Stopped is as good as gone: what follows need not wait to be asked.
    stopping = asyncio.create_task(b.stop(chat_id=first.chat_id))
    await asyncio.sleep(0)
    b.handler.script = ["ok"]
    second = await b.send("now", first.chat_id, policy="reject")
    await stopping
    assert (await b.end(second)).text == "ok"
    await b.stop(all=True)


@pytest.mark.parametrize(
    ("policy", "state"), [("queue", "queued"), ("interrupt", "new"), ("reject", None)]
)
async def test_the_default_is_a_setting(bench, policy, state):
    """V6: and a prompt may say otherwise."""
    b = bench(gated, policy=policy)
    first = await running_chat(b)
    if state is None:
        assert await refused(b.send("second", first.chat_id)) is ErrorCode.BUSY
    else:
        first_one = b.engine.generation(first.message.id)
        await b.send("second", first.chat_id)
        assert (first_one.stop is None) == (state == "queued")
    await b.engine.delete_chat(OWNER, first.chat_id)


async def test_nobody_s_generation_blocks_another_s(bench):
    """J6."""
    b = bench(gated)
    await running_chat(b)
    b.handler.script = ["ok"]
    assert (await b.end(await b.send(owner="eve"))).text == "ok"
    await b.stop(all=True)


@pytest.mark.parametrize("times", [50, pytest.param(200, marks=pytest.mark.stress)])
async def test_stop_and_send_again_at_once(bench, times):
    """J5: many times, without waiting for anything: order, parentage and context right."""
    b = bench(gated)
    accepted = await running_chat(b)
    chat_id = accepted.chat_id
    expected = ["first", "x"]
    for number in range(times):
        generation = b.engine.generation(accepted.message.id)
        stopping = asyncio.create_task(
            b.stop(message_id=accepted.message.id, shown=generation.text.length)
        )
        sending = asyncio.create_task(b.send(f"again {number}", chat_id))
        before, accepted = accepted, await sending
        await stopping
        assert accepted.user_message.reply_to == before.message.id
        reply = await b.handler.next_reply(number + 2)
        expected.append(f"again {number}")
        assert [each.text for each in reply.turn.messages] == expected
        await b.shown(accepted, "x")
        expected.append("x")
    await b.stop(chat_id=chat_id)
    thread = await b.store.get_thread(accepted.message.id)
    assert [message.text for message in thread] == expected


async def test_stop_and_send_again_before_the_first_word(bench):
    """J5, J2: the one that said nothing is not told on."""
    b = bench([Gate()])
    accepted = await b.send("0")
    for number in range(1, 50):
        stopping = asyncio.create_task(b.stop(request_id=accepted.request_id))
        await asyncio.sleep(0)
        accepted = await b.send(str(number), accepted.chat_id)
        await stopping
    replies = b.handler.replies
    await turns_until(lambda: bool(replies) and replies[-1].turn.messages[-1].text == "49")
    await b.stop(chat_id=accepted.chat_id)
    assert [each.text for each in replies[-1].turn.messages] == ["49"]
