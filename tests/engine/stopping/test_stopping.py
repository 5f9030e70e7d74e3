"""The stop: at every moment, of everything, and what it answers."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.ports.handler import Reasoning, ToolStarted
from jupyter_stop_chat.testing import Block, Call, Endless, Gate, Raise, RefuseToClose, SlowClean
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from tests.engine.bench import new_id, turns_until


async def test_stop_between_two_chunks(bench):
    """V1, V8, J7, B2: cancelled, closed, settled, with the text up to there."""
    gate = Gate()
    b = bench(["one ", "two ", gate, "three"])
    accepted = await b.send()
    await b.shown(accepted, "one two ")
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.INTERRUPTED
    message = await b.end(accepted)
    assert (message.state, message.text) == (MessageState.INTERRUPTED, "one two ")
    receipt = message.stop
    assert receipt == result.receipt
    assert (receipt.reason, receipt.provider, receipt.discarded) == ("user", "closed", False)
    assert 0 <= receipt.provider_ms <= receipt.cancelled_ms <= receipt.settled_ms < 2000
    reply = b.handler.replies[0]
    assert reply.ended.is_set()
    assert reply.cancels == 1
    # That it is being stopped is told only where its end does not come at once.
    told = [each for each in b.heard.states[message.id] if each is not MessageState.STOPPING]
    assert told == [MessageState.INTERRUPTED]


async def test_a_stop_whose_task_unwinds_for_long_is_told_meanwhile(bench):
    """S5, V8: and once, though the task ends later as well."""
    gate, waits = Gate(), Gate()
    b = bench(["seen", SlowClean(gate), waits], stop_deadline=60.0)
    accepted = await b.send()
    await waits.reached.wait()
    stopping = asyncio.ensure_future(b.stop(message_id=accepted.message.id))
    states = b.heard.states[accepted.message.id]
    await turns_until(lambda: MessageState.STOPPING in states)
    assert not stopping.done()
    gate.open()
    await stopping
    assert states.count(MessageState.STOPPING) == 1
    assert states[-1] is MessageState.INTERRUPTED


@pytest.mark.parametrize(
    "make",
    [
        lambda: [Gate()],
        lambda: [Reasoning("hm"), Gate()],
        lambda: [ToolStarted("c", "tool"), Gate()],
        lambda: [Endless("x")],
        lambda: [Endless("x", polite=False)],
        lambda: ["text", SlowClean(Gate()), Gate()],
        lambda: ["text", RefuseToClose(), Gate()],
        pytest.param(
            lambda: ["text", Block(200), Gate()],
            marks=pytest.mark.may_hold_the_loop("the model does, on purpose"),
        ),
    ],
    ids=["silent", "reasoning", "tool", "endless", "impolite", "slow_clean", "refuses", "blocks"],
)
async def test_stop_in_every_phase(bench, make):
    """V8, J2."""
    script = make()
    b = bench(script, stop_deadline=0.2)
    accepted = await b.send()
    reply = await b.handler.next_reply()
    gates = [step for step in script if isinstance(step, Gate)]
    if gates:
        await gates[0].reached.wait()
    else:
        await turns_until(lambda: bool(reply.yielded))
    (result,) = await b.stop(chat_id=accepted.chat_id)
    assert result.outcome is Outcome.INTERRUPTED
    message = await b.end(accepted)
    assert message.state is MessageState.INTERRUPTED
    assert [tool.state for tool in message.tools] in ([], ["interrupted"])
    made = len(reply.yielded)
    await b.store.steps(20)
    assert len(reply.yielded) == made
    for step in script:
        if isinstance(step, SlowClean):
            assert message.stop.provider == "still_finishing"
            assert b.engine.runaway == 1
            step.gate.open()
            await reply.ended.wait()
    await b.check()


async def test_a_stop_reaches_the_model_in_one_turn_of_the_loop(bench):
    """V2: both ways at once: the flag is seen and the cancel has landed before anything awaits."""
    seen: list[bool] = []
    gate = Gate(swallow=1, leave_at_cancel=True)
    b = bench(["a", gate, Call(lambda turn: seen.append(turn.stopped)), "late"])
    accepted = await b.send()
    await b.shown(accepted, "a")
    await b.stop(message_id=accepted.message.id)
    assert seen == [True]
    assert (await b.end(accepted)).text == "a"
    assert b.handler.replies[0].cancels == 1


async def test_the_kept_text_ends_where_the_person_saw_it_end(bench):
    """B4, rule 9."""
    b = bench(["I see 🗼 and more", Gate()])
    for shown, kept in ((0, ""), (5, "I see"), (7, "I see "), (8, "I see 🗼"), (999, None)):
        accepted = await b.send()
        await b.shown(accepted, "I see 🗼 and more")
        await b.stop(message_id=accepted.message.id, shown=shown)
        message = await b.end(accepted)
        assert message.text == ("I see 🗼 and more" if kept is None else kept)
        assert message.text_length == len(message.text.encode("utf-16-le")) // 2


async def test_an_offset_says_nothing_of_several_texts(bench):
    b = bench(["text", Gate()])
    first, second = await b.send(), await b.send()
    await b.shown(first, "text")
    await b.shown(second, "text")
    await b.stop(all=True, shown=1)
    assert [(await b.end(each)).text for each in (first, second)] == ["text", "text"]


async def test_text_that_was_never_committed_does_not_come_back(bench):
    """B4: what was on its way when Stop was pressed stays out, in memory and in the store."""
    b = bench(["shown ", Gate(), "on its way ", Gate()])
    accepted = await b.send()
    await b.shown(accepted, "shown ")
    b.store.open_for_writing.clear()
    b.handler.script[1].open()
    await b.handler.script[3].reached.wait()
    stopping = asyncio.create_task(b.stop(message_id=accepted.message.id))
    await asyncio.sleep(0)
    b.store.open_for_writing.set()
    await stopping
    assert (await b.end(accepted)).text == "shown "
    assert (await b.store.get_message(accepted.message.id)).text == "shown "


async def test_hammering_stop_joins_the_first(bench):
    """V7, rule 3: one cancel, one terminal state, every stop with the same true answer."""
    clean = Gate()
    # That many stops take their time on a busy machine, and none of them may run out.
    b = bench(["x", SlowClean(clean), Gate()], stop_deadline=30.0)
    accepted = await b.send()
    await b.shown(accepted, "x")
    targets = [
        {"message_id": accepted.message.id},
        {"chat_id": accepted.chat_id},
        {"all": True},
        {"request_id": accepted.request_id},
    ]
    stops = [asyncio.create_task(b.stop(**targets[number % 4])) for number in range(100)]
    await clean.reached.wait()
    stops += [asyncio.create_task(b.stop(**targets[number % 4])) for number in range(100)]
    clean.open()
    answers = await asyncio.gather(*stops)
    assert {answer[0].outcome for answer in answers} == {Outcome.INTERRUPTED}
    assert len({answer[0].receipt.model_dump_json() for answer in answers}) == 1
    assert b.handler.replies[0].cancels == 1
    assert b.heard.terminals(accepted.message.id) == 1
    (late,) = await b.stop(message_id=accepted.message.id)
    assert late.outcome is Outcome.ALREADY_INTERRUPTED
    assert late.receipt == answers[0][0].receipt


async def test_a_stop_after_the_end_tells_the_end(bench):
    """L4."""
    b = bench(["done"])
    done = await b.end(await b.send())
    b.handler.script = [Raise(ValueError())]
    failed = await b.end(await b.send())
    for message, outcome in (
        (done, Outcome.ALREADY_COMPLETED),
        (failed, Outcome.ALREADY_FAILED),
    ):
        for target in ({"message_id": message.id}, {"request_id": message.request_id}):
            (result,) = await b.stop(**target)
            assert (result.message_id, result.outcome) == (message.id, outcome)
        assert await b.stop(chat_id=message.chat_id) == ()
        assert (await b.store.get_message(message.id)).state is message.state


async def test_what_is_not_yours_is_not_found_and_not_stopped(bench):
    """L4, J6."""
    b = bench(["x", Gate()])
    accepted = await b.send()
    await b.shown(accepted, "x")
    mine = {
        "message_id": accepted.message.id,
        "chat_id": accepted.chat_id,
        "request_id": accepted.request_id,
        "all": True,
    }
    for name, target in mine.items():
        results = await b.stop(owner="eve", **{name: target})
        assert {result.outcome for result in results} <= {Outcome.NOT_FOUND, Outcome.REMEMBERED}
        assert all(result.receipt is None for result in results)
    assert b.engine.generation(accepted.message.id).stop is None
    assert b.engine.running("eve") == []
    await b.stop(message_id=accepted.message.id)
    # An ended one is no more hers than a running one.
    (result,) = await b.stop(owner="eve", message_id=accepted.message.id)
    assert (result.outcome, result.receipt) == (Outcome.NOT_FOUND, None)
    b.engine.registry.recall("eve", accepted.request_id)


async def test_stop_everything_of_mine_alone(bench):
    """J4, J6."""
    b = bench(["x", Gate()])
    mine = [await b.send() for _ in range(3)]
    hers = await b.send(owner="eve")
    for accepted in (*mine, hers):
        await b.shown(accepted, "x")
    results = await b.stop(all=True)
    assert sorted(result.message_id for result in results) == sorted(
        accepted.message.id for accepted in mine
    )
    assert b.engine.generation(hers.message.id).stop is None
    await b.stop(owner="eve", all=True)


async def test_an_unknown_message_is_not_found(bench):
    b = bench()
    unknown = new_id()
    (result,) = await b.stop(message_id=unknown)
    assert (result.message_id, result.outcome) == (unknown, Outcome.NOT_FOUND)
    (result,) = await b.stop(chat_id=unknown)
    assert result.outcome is Outcome.NOT_FOUND
    assert await b.stop(all=True) == ()


# --- discard ---------------------------------------------------------------------------------


async def test_discard_takes_the_turn_out(bench):
    """V4: the chat is as it was before the last message; the next turn is not told of it."""
    b = bench(["x", Gate()])
    b.handler.script = lambda turn: ["ok"]
    kept = await b.end(await b.send("kept"))
    b.handler.script = ["partial", Gate()]
    dropped = await b.send("dropped", kept.chat_id)
    await b.shown(dropped, "partial")
    (result,) = await b.stop(message_id=dropped.message.id, discard=True)
    assert result.receipt.discarded
    b.handler.script = ["ok"]
    after = await b.send("after", kept.chat_id)
    await b.end(after)
    assert after.user_message.reply_to == kept.id
    told = b.handler.replies[-1].turn.messages
    assert [each.text for each in told] == ["kept", "ok", "after"]


async def test_keep_leaves_the_turn_in(bench):
    """V4, J5: the default."""
    b = bench(["partial", Gate()])
    stopped = await b.send("first")
    await b.shown(stopped, "partial")
    await b.stop(chat_id=stopped.chat_id)
    b.handler.script = ["ok"]
    after = await b.send("after", stopped.chat_id)
    await b.end(after)
    assert after.user_message.reply_to == stopped.message.id
    told = b.handler.replies[-1].turn.messages
    assert [(each.role, each.text) for each in told] == [
        ("user", "first"),
        ("assistant", "partial"),
        ("user", "after"),
    ]
