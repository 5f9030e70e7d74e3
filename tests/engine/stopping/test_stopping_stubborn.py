"""The stop of models that do not obey: it is bounded, and its receipt says what is so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from jupyter_stop_chat.engine.changes import MessageMoved
from jupyter_stop_chat.ports.handler import TokensUsed
from jupyter_stop_chat.testing import Call, Gate, Raise, ScriptedHandler, SlowClean
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from tests.engine.bench import MODEL

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
