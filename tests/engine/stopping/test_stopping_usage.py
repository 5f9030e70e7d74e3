"""What a stopped reply used."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.engine.spending import Spending
from jupyter_stop_chat.ports.handler import TokensUsed
from jupyter_stop_chat.ports.spending import Budget
from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.objects import MessageState, Spent
from tests.engine.bench import OWNER

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


@pytest.mark.parametrize("rude", [-5, 10**30, 2**53, float("inf"), float("nan")])
async def test_numbers_that_cannot_be_true_keep_no_reply_from_its_end(bench, rude):
    """B9: they count as not told; nor do they spoil what its chat and its owner spent."""
    b = bench(["x" * 40, TokensUsed(rude, rude, reasoning_tokens=rude)], titles="model")
    b.spend(Spending(b.store, budget=lambda: Budget(tokens=10**6)))
    accepted = await b.send("y" * 80)
    async with asyncio.timeout(10):
        ended = await b.end(accepted)
    assert ended.state is MessageState.COMPLETED
    usage = ended.usage
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (20, 10, True)
    await b.quiet()
    spent = (await b.engine.chat(OWNER, accepted.chat_id)).spent
    assert spent == Spent(
        input_tokens=spent.input_tokens, output_tokens=20, estimated=True, unpriced=True
    ), "its title counts as well"


async def test_what_was_read_is_estimated_where_only_that_is_missing(bench):
    """B9: read for nothing it was not."""
    b = bench(["x" * 40, TokensUsed(output_tokens=7)])
    usage = (await b.end(await b.send("y" * 80))).usage
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (20, 7, True)
