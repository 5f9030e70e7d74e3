"""A stop and a shutdown end in time, whatever the model does."""

from __future__ import annotations

import time

from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.objects import MessageState


async def test_a_stop_is_bounded_by_two_seconds_as_it_comes(bench):
    """B1: with the limits that the project ships."""
    gate = Gate(swallow=-1)
    b = bench(["seen", gate, " late"])
    accepted = await b.send()
    await b.shown(accepted, "seen")
    began = time.perf_counter()
    (result,) = await b.stop(message_id=accepted.message.id)
    assert time.perf_counter() - began <= 2.0
    assert result.receipt.settled_ms <= 2000
    gate.open()
    await b.handler.replies[0].ended.wait()
    await b.quiet()


async def test_shutdown_waits_for_no_stubborn_model_for_ever(bench):
    gate = Gate(swallow=-1)
    b = bench(["seen", gate, " late"], stop_deadline=0.1, shutdown_deadline=1.0)
    accepted = await b.send()
    await b.shown(accepted, "seen")
    began = time.perf_counter()
    await b.engine.shutdown()
    assert time.perf_counter() - began < 1.0
    assert (await b.store.get_message(accepted.message.id)).state is MessageState.INTERRUPTED
    gate.open()
    await b.handler.replies[0].ended.wait()
