"""The stop: at every moment, of everything, and what it answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from jupyter_stop_chat.bus import MessageMoved
from jupyter_stop_chat.chat_handlers.base import Reasoning, TokensUsed, ToolStarted
from jupyter_stop_chat.protocol import MessageState, Outcome
from jupyter_stop_chat.store.operations import BeginTurn, Settle
from jupyter_stop_chat.testing import (
    Block,
    Call,
    Endless,
    Gate,
    Raise,
    RefuseToClose,
    ScriptedHandler,
    SlowClean,
)
from tests.engine.bench import MODEL, OWNER, new_id, turns_until


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
    assert b.heard.states[message.id][-2:] == [MessageState.STOPPING, MessageState.INTERRUPTED]


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
        lambda: ["text", Block(200), Gate()],
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


# --- before there is anything to stop ----------------------------------------------------------


async def test_a_stop_that_comes_before_its_request(bench):
    """S6, J2, rule 2: nothing is asked of the model at all, and the person stays in the chat."""
    b = bench()
    request_id = new_id()
    (result,) = await b.stop(request_id=request_id)
    assert (result.message_id, result.outcome) == (None, Outcome.REMEMBERED)
    accepted = await b.send(request_id=request_id)
    message = await b.end(accepted)
    assert message.state is MessageState.INTERRUPTED
    assert message.stop.provider == "not_started"
    assert b.handler.replies == []
    chat = await b.engine.chat(OWNER, accepted.chat_id)
    assert chat.state == "idle"
    # It is used up: the next request is not stopped.
    assert (await b.end(await b.send())).state is MessageState.COMPLETED


async def test_a_remembered_stop_is_forgotten_in_time(bench):
    """S6, V10."""
    b = bench(remember_stop=0.0)
    request_id = new_id()
    await b.stop(request_id=request_id)
    await asyncio.sleep(0.01)
    assert b.engine.registry.empty
    assert (await b.end(await b.send(request_id=request_id))).state is MessageState.COMPLETED


async def test_remembered_stops_are_bounded_and_each_owner_s_own(bench):
    b = bench(max_remembered=5)
    ids = [new_id() for _ in range(20)]
    for request_id in ids:
        await b.stop(request_id=request_id)
    await b.stop(owner="eve", request_id=ids[0])
    for request_id in ids[:15]:
        assert b.engine.registry.recall(OWNER, request_id) is None
    for request_id in ids[15:]:
        assert b.engine.registry.recall(OWNER, request_id) is not None
    assert b.engine.registry.recall("eve", ids[0]) is not None


@pytest.mark.parametrize("turns", range(12))
async def test_a_stop_by_request_and_its_request_cross_each_other(bench, turns):
    """S6, J2: at whatever step of the acceptance it lands, it is true when it is answered."""
    b = bench(["x", Gate()])
    request_id = new_id()
    sending = asyncio.create_task(b.send(request_id=request_id))
    await b.store.steps(turns)
    (result,) = await b.stop(request_id=request_id)
    accepted = await sending
    message = await b.end(accepted)
    assert message.state is MessageState.INTERRUPTED
    assert result.outcome in {Outcome.INTERRUPTED, Outcome.REMEMBERED}
    if turns == 0:
        assert b.handler.replies == []


@pytest.mark.parametrize("turns", range(20))
async def test_a_request_that_arrives_while_its_stop_is_looked_up(bench, turns):
    """S6: the other order."""
    b = bench(["x", Gate()])
    b.store.read_turns = 5
    request_id = new_id()
    stopping = asyncio.create_task(b.stop(request_id=request_id))
    await b.store.steps(turns)
    accepted = await b.send(request_id=request_id)
    assert (await b.end(accepted)).state is MessageState.INTERRUPTED
    (result,) = await stopping
    assert result.outcome in {Outcome.INTERRUPTED, Outcome.REMEMBERED}
    assert b.handler.replies == []


async def test_a_stop_that_is_looked_up_for_long_joins_the_request_that_it_stopped(bench):
    """S6: its answer is the receipt, and not that nothing was found."""
    b = bench(["x", Gate()])
    b.store.turns = 30
    look_up, go_on = b.store.find_request, asyncio.Event()

    async def slow(owner, request_id):
        b.store.find_request = look_up
        await go_on.wait()
        return await look_up(owner, request_id)

    b.store.find_request = slow
    request_id = new_id()
    stopping = asyncio.create_task(b.stop(request_id=request_id))
    await asyncio.sleep(0)
    sending = asyncio.create_task(b.send(request_id=request_id))
    await turns_until(lambda: any(isinstance(each, BeginTurn) for each in b.store.done))
    assert b.engine.registry.by_request(OWNER, request_id) is not None
    go_on.set()
    (result,) = await stopping
    assert result.outcome is Outcome.INTERRUPTED
    assert result.receipt is not None
    await sending


async def test_a_new_chat_is_stopped_before_it_is_written_down(bench):
    """S6, J2: by the id that the page chose."""
    b = bench(["x", Gate()])
    b.store.open_for_writing.clear()
    request_id = new_id()
    sending = asyncio.create_task(b.send(request_id=request_id))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(b.stop(request_id=request_id, discard=True))
    await asyncio.sleep(0)
    b.store.open_for_writing.set()
    (result,) = await stopping
    assert result.outcome is Outcome.INTERRUPTED
    accepted = await sending
    message = await b.end(accepted)
    assert message.discarded
    assert b.handler.replies == []
    assert (await b.store.get_chat(accepted.chat_id)) is not None


async def test_a_stop_of_what_is_not_accepted_in_the_end(bench):
    b = bench()
    b.store.open_for_writing.clear()
    request_id = new_id()
    sending = asyncio.create_task(b.send(chat_id=new_id(), request_id=request_id))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(b.stop(request_id=request_id))
    b.store.open_for_writing.set()
    (result,) = await stopping
    assert result.outcome is Outcome.NOT_FOUND
    await asyncio.wait([sending])
    assert sending.exception() is not None


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


# --- models that do not obey -----------------------------------------------------------------


@dataclass
class Stubborn:
    script: list
    gate: Gate


def _swallows() -> Stubborn:
    gate = Gate(swallow=-1)
    return Stubborn(["seen", gate, " late"], gate)


def _cleans_slowly() -> Stubborn:
    gate = Gate()
    return Stubborn(["seen", SlowClean(gate), Gate()], gate)


def _swallows_in_clean_up() -> Stubborn:
    gate = Gate(swallow=-1)
    return Stubborn(["seen", SlowClean(gate), Gate(), " late"], gate)


@pytest.mark.parametrize("make", [_swallows, _cleans_slowly, _swallows_in_clean_up])
async def test_a_stop_is_bounded(bench, make, caplog):
    """B1, B2, J3: settled in time, fenced, named in the receipt and in the log; nothing late."""
    stubborn = make()
    b = bench(stubborn.script, stop_deadline=0.1)
    accepted = await b.send()
    await b.shown(accepted, "seen")
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.INTERRUPTED
    assert result.receipt.provider == "still_finishing"
    assert result.receipt.cancelled_ms is None
    assert result.receipt.settled_ms >= 100
    assert b.engine.runaway == 1
    assert "did not react to a stop" in caplog.text
    # It goes on, and nothing that it does reaches the message.
    stubborn.gate.open()
    await b.handler.replies[0].ended.wait()
    await b.quiet()
    message = await b.store.get_message(accepted.message.id)
    assert (message.state, message.text) == (MessageState.INTERRUPTED, "seen")
    assert b.engine.runaway == 0
    # The receipt is completed, once it is known how it ended.
    assert message.stop.provider == "closed"
    assert message.stop.settled_ms == result.receipt.settled_ms
    assert message.stop.provider_ms >= message.stop.settled_ms


async def test_a_runaway_that_tells_nothing_stays_unconfirmed(bench):
    """B2: what nobody can tell is not claimed."""
    stubborn = _swallows()
    b = bench(stop_deadline=0.05)
    b.handlers[MODEL] = handler = ScriptedHandler(stubborn.script, reports=False)
    accepted = await b.send()
    await b.shown(accepted, "seen")
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.receipt.provider == "still_finishing"
    stubborn.gate.open()
    await handler.replies[0].ended.wait()
    await b.quiet()
    message = await b.store.get_message(accepted.message.id)
    assert message.stop.provider == "unconfirmed"


async def test_a_handler_that_reports_nothing_is_unconfirmed(bench):
    """B2."""
    b = bench()
    b.handlers[MODEL] = ScriptedHandler(["x", Gate()], reports=False)
    accepted = await b.send()
    await b.shown(accepted, "x")
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.receipt.provider == "unconfirmed"
    assert result.receipt.provider_ms is None


async def test_a_thread_that_goes_on_is_named(bench):
    """B2: and the receipt is completed when the thread has ended."""
    turns = []
    b = bench()
    b.handlers[MODEL] = ScriptedHandler(["x", Call(turns.append), Gate()], reports=False)
    accepted = await b.send()
    await b.shown(accepted, "x")
    await asyncio.sleep(0)
    turns[0].still_finishing()
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.receipt.provider == "still_finishing"
    turns[0].provider_closed()
    await b.quiet()
    message = await b.store.get_message(accepted.message.id)
    assert message.stop.provider == "closed"
    assert message.stop.provider_ms >= result.receipt.settled_ms
    last = [change for change in b.heard.told if isinstance(change, MessageMoved)][-1]
    assert last.message == message


async def test_a_late_receipt_does_not_end_a_reply_that_goes_on(bench):
    """V9, B2: the thread of the first part ends while the second is being made."""
    turns = []
    b = bench()
    b.handlers[MODEL] = handler = ScriptedHandler(["one", Call(turns.append), Gate()])
    handler.reports = False
    accepted = await b.send()
    await b.shown(accepted, "one")
    turns[0].still_finishing()
    await b.stop(message_id=accepted.message.id)
    handler.script = [" two", Gate()]
    again = await b.go_on(accepted.message.id)
    await b.shown(again, "one two")
    states = list(b.heard.states[accepted.message.id])
    turns[0].provider_closed()
    await b.store.steps(20)
    assert b.heard.states[accepted.message.id] == states
    assert states[-1] is MessageState.GENERATING
    handler.script[1].open()
    message = await b.end(again)
    assert (message.state, message.text, message.stop) == (MessageState.COMPLETED, "one two", None)


async def test_a_model_that_answers_a_cancel_with_an_error_was_stopped(bench):
    """V3: no failure is shown for what the person asked for."""
    gate = Gate(swallow=1, leave_at_cancel=True)
    b = bench(["x", gate, Raise(RuntimeError("cancelled badly"))])
    accepted = await b.send()
    await b.shown(accepted, "x")
    (result,) = await b.stop(message_id=accepted.message.id)
    message = await b.end(accepted)
    assert result.outcome is Outcome.INTERRUPTED
    assert message.error is None


async def test_a_model_that_answers_a_cancel_with_its_end_was_stopped(bench):
    gate = Gate(swallow=1, leave_at_cancel=True)
    b = bench(["x", gate, TokensUsed(3, 9)])
    accepted = await b.send()
    await b.shown(accepted, "x")
    await b.stop(message_id=accepted.message.id)
    assert (await b.end(accepted)).state is MessageState.INTERRUPTED


# --- usage -----------------------------------------------------------------------------------


async def test_usage_of_a_stopped_reply_is_estimated_and_marked(bench):
    """B9."""
    b = bench([TokensUsed(input_tokens=11), "x" * 40, Gate()])
    accepted = await b.send()
    await b.shown(accepted, "x" * 40)
    await b.stop(message_id=accepted.message.id)
    usage = (await b.end(accepted)).usage
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (11, 10, True)


async def test_usage_that_the_provider_counted_is_exact(bench):
    """B9: also of a stopped reply, and what comes after the stop counts no more."""
    gate = Gate(swallow=1, leave_at_cancel=True)
    b = bench([TokensUsed(5), "abc", TokensUsed(output_tokens=2), gate, TokensUsed(99, 99)])
    accepted = await b.send()
    await b.shown(accepted, "abc")
    await gate.reached.wait()
    await b.stop(message_id=accepted.message.id)
    usage = (await b.end(accepted)).usage
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (5, 2, False)


async def test_usage_of_a_reply_in_two_parts_is_added_up_once(bench):
    """B9, V9."""
    b = bench(["x" * 40, Gate()])
    accepted = await b.send()
    await b.shown(accepted, "x" * 40)
    await b.stop(message_id=accepted.message.id)
    b.handler.script = ["y", TokensUsed(30, 7)]
    usage = (await b.end(await b.go_on(accepted.message.id))).usage
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (31, 17, True)


async def test_nothing_made_is_nothing_used(bench):
    b = bench([Gate()])
    accepted = await b.send()
    await b.handler.script[0].reached.wait()
    await b.stop(message_id=accepted.message.id)
    assert (await b.end(accepted)).usage is None


async def test_a_provider_that_closes_while_the_end_is_written_down_is_not_forgotten(bench):
    """B2: between what the receipt says and its place in the store, everything may happen."""

    b = bench()
    b.handlers[MODEL] = ScriptedHandler(["seen", Gate()], reports=False)
    b.store.turns = 5
    accepted = await b.send()
    generation = await b.shown(accepted, "seen")
    stopping = asyncio.create_task(b.stop(message_id=accepted.message.id))
    await turns_until(lambda: generation.claimed)
    assert not generation.settled.done()
    generation.report("closed")
    await stopping
    await b.quiet()
    message = await b.store.get_message(accepted.message.id)
    assert message.stop.provider == "closed"


# --- a stop against an end -------------------------------------------------------------------


async def test_an_end_that_was_first_stays(bench):
    """Rule 6: the terminal state is being claimed when Stop arrives."""
    b = bench(["all"])
    b.store.turns = 5
    accepted = await b.send()
    generation = b.engine.generation(accepted.message.id)
    await turns_until(lambda: generation.claimed)
    (result,) = await b.stop(message_id=accepted.message.id, shown=0)
    assert result.outcome is Outcome.ALREADY_COMPLETED
    message = await b.end(accepted)
    assert (message.state, message.text) == (MessageState.COMPLETED, "all")
    # Nor is the text cut for a page that has not read all of it yet.
    assert (generation.stop, str(generation.text)) == (None, "all")


async def test_a_stop_before_the_last_text_is_committed_wins(bench):
    """B4: the model has ended, but the person has not seen all of it when they press Stop."""
    b = bench(["seen", Gate(), " unseen"])
    accepted = await b.send()
    generation = await b.shown(accepted, "seen")
    b.store.open_for_writing.clear()
    b.handler.script[1].open()
    await turns_until(lambda: generation.task is None)
    stopping = asyncio.create_task(b.stop(message_id=accepted.message.id, shown=4))
    await asyncio.sleep(0)
    b.store.open_for_writing.set()
    (result,) = await stopping
    assert result.outcome is Outcome.INTERRUPTED
    assert (await b.end(accepted)).text == "seen"


async def test_another_process_claimed_the_end(bench):
    """Rule 6: the row count names the winner, and the loser tells the winner's end."""
    from jupyter_stop_chat.store.base import Settlement

    b = bench(["x", Gate()])
    accepted = await b.send()
    await b.shown(accepted, "x")
    await b.store.settle(accepted.message.id, Settlement(MessageState.FAILED))
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.ALREADY_FAILED
    assert sum(isinstance(each, Settle) for each in b.store.done) == 2


async def test_a_chat_that_is_deleted_under_a_reply(bench):
    """V10: by another process; nothing is left, and the stop says so."""
    b = bench(["x", Gate()])
    accepted = await b.send()
    await b.shown(accepted, "x")
    await b.store.delete_chat(accepted.chat_id)
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.NOT_FOUND


async def test_deleting_a_chat_stops_what_is_made_in_it(bench):
    b = bench(["x", Gate()])
    accepted = await b.send()
    await b.shown(accepted, "x")
    waiting = await b.send("waits", accepted.chat_id)
    await b.engine.delete_chat(OWNER, accepted.chat_id)
    assert b.handler.replies[0].ended.is_set()
    assert len(b.handler.replies) == 1
    assert await b.store.get_message(waiting.message.id) is None
    assert await b.store.get_chat(accepted.chat_id) is None


# --- the end of the server -------------------------------------------------------------------


async def test_shutdown_stops_and_saves_all(bench):
    """L12, rule 12."""
    b = bench(["x", Gate()])
    running = [await b.send() for _ in range(5)]
    for accepted in running:
        await b.shown(accepted, "x")
    waiting = await b.send("waits", running[0].chat_id)
    await b.stop(request_id=new_id())
    await b.engine.shutdown()
    for accepted in (*running, waiting):
        message = await b.store.get_message(accepted.message.id)
        assert message.state is MessageState.INTERRUPTED
        assert message.stop.reason == "server_shutdown"
    assert len(b.handler.replies) == 5
    assert b.engine.registry.empty
    with pytest.raises(Exception, match="shutting_down"):
        await b.send()


async def test_a_prompt_that_is_being_accepted_at_shutdown(bench):
    b = bench(["x", Gate()])
    b.store.open_for_writing.clear()
    sending = asyncio.create_task(b.send())
    await asyncio.sleep(0)
    ending = asyncio.create_task(b.engine.shutdown())
    await asyncio.sleep(0)
    b.store.open_for_writing.set()
    await ending
    accepted = await sending
    assert (await b.end(accepted)).state is MessageState.INTERRUPTED
    assert b.handler.replies == []
