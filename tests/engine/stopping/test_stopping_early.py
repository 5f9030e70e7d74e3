"""The stop of what is not there yet: before its request, or while that is accepted."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from tests.engine.bench import OWNER, new_id, turns_until

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


@pytest.mark.parametrize("settled", [False, True], ids=["being accepted", "settled"])
async def test_a_stop_that_is_looked_up_for_long_joins_the_request_that_it_stopped(bench, settled):
    """S6: its answer is the receipt, and not that nothing was found."""
    b = bench(["x", Gate()])
    look_up, go_on = b.store.find_request, asyncio.Event()

    async def slow(owner, request_id):
        b.store.find_request = look_up
        await go_on.wait()
        found = await look_up(owner, request_id)
        b.store.open_for_writing.set()
        return found

    b.store.find_request = slow
    request_id = new_id()
    stopping = asyncio.create_task(b.stop(request_id=request_id))
    await asyncio.sleep(0)
    if settled:
        accepted = await b.send(request_id=request_id)
        await b.end(accepted)
    else:
        b.store.open_for_writing.clear()
        sending = asyncio.create_task(b.send(request_id=request_id))
        await turns_until(lambda: b.engine.registry.by_request(OWNER, request_id) is not None)
    go_on.set()
    (result,) = await stopping
    assert result.outcome is Outcome.INTERRUPTED
    assert result.receipt is not None
    if not settled:
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


# --- a press that is sent again ----------------------------------------------------------------


@pytest.mark.parametrize("aims_at", ["all", "chat"])
async def test_a_press_that_is_sent_again_stops_nothing_that_came_after_it(bench, aims_at):
    """L4, J5: its answer took long, and its owner has asked for something else meanwhile."""
    b = bench(["x", Gate()])
    first = await b.send()
    await b.shown(first, "x")
    target = {"all": True} if aims_at == "all" else {"chat_id": first.chat_id}
    press = {**target, "press": new_id()}
    told = await b.stop(**press)
    assert [each.outcome for each in told] == [Outcome.INTERRUPTED]
    second = await b.send(chat_id=first.chat_id)
    await b.shown(second, "x")
    assert await b.stop(**press) == told
    assert b.engine.registry.get(second.message.id) is not None
    # The same of another owner, and another press, are others.
    assert await b.stop(owner="eve", all=True, press=press["press"]) == ()
    (result,) = await b.stop(**target, press=new_id())
    assert result.message_id == second.message.id
    assert (await b.end(second)).state is MessageState.INTERRUPTED


async def test_a_press_that_is_sent_again_while_it_stops(bench):
    """L4: both are told what it came to, once that is true."""
    b = bench(["x", Gate()])
    accepted = await b.send()
    await b.shown(accepted, "x")
    press = new_id()
    both = await asyncio.gather(*(b.stop(all=True, press=press) for _ in range(2)))
    assert both[0] == both[1]
    assert [each.outcome for each in both[0]] == [Outcome.INTERRUPTED]


async def test_a_press_whose_answer_failed_is_answered_when_it_is_sent_again(bench, monkeypatch):
    """L4: nobody knew, then; and what has begun since goes on."""
    b = bench(["x", Gate()])
    ended = await b.send()
    await b.shown(ended, "x")
    await b.stop(message_id=ended.message.id)
    press = {"message_id": ended.message.id, "press": new_id()}
    with monkeypatch.context() as patch:

        async def fail(message_id):
            raise StopChatError(ErrorCode.NOT_READABLE)

        patch.setattr(b.store, "get_message", fail)
        with pytest.raises(StopChatError):
            await b.stop(**press)
    going_on = await b.go_on(ended.message.id)
    await b.shown(going_on, "xx")
    for _ in range(2):
        (result,) = await b.stop(**press)
        assert result.outcome is Outcome.NOT_FOUND, "it is made again, and not stopped"
    assert b.engine.registry.get(ended.message.id) is not None
    await b.stop(message_id=ended.message.id)
