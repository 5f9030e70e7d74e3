"""What is admitted, what is refused, and what counts once."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from jupyter_stop_chat.wire.server_frames import Accepted
from tests.engine.bench import OWNER, Bench, new_id, turns_until


async def refused(work) -> ErrorCode:
    with pytest.raises(StopChatError) as caught:
        await work
    return caught.value.code


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


# --- while one is being made -------------------------------------------------------------------


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
    b = bench(["x", gate], max_generations_per_owner=40)
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


async def test_stop_and_send_again_at_once(bench):
    """J5: two hundred times, without waiting for anything: order, parentage and context right."""
    b = bench(gated)
    accepted = await running_chat(b)
    chat_id = accepted.chat_id
    expected = ["first", "x"]
    for number in range(200):
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
