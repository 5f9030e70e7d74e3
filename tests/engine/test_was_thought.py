"""Text that turns out to have been a thought: in the reply, in the store, and at every end."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.ports.handler import Reasoning, ToolStarted, WasThought
from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.objects import MessageState
from tests.engine.bench import turns_until

THOUGHT = "Hm 😀, so. " * 200


async def test_text_that_was_a_thought_is_reasoning_from_then_on(bench):
    """T7: live and kept, and what comes next begins where the text ends then."""
    gate = Gate()
    b = bench([Reasoning("Well. "), "Hm, ", "so. ", WasThought(), gate, "Yes", Reasoning("!")])
    accepted = await b.send()
    made = b.engine.generation(accepted.message.id)
    await turns_until(lambda: str(made.reasoning) == "Well. Hm, so. ")
    assert (str(made.text), made.thought_from) == ("", [0])
    gate.open()
    message = await b.end(accepted)
    assert (message.text, message.text_length) == ("Yes", 3)
    assert message.reasoning == "Well. Hm, so. !"
    assert await b.store.get_message(message.id) == message


async def test_only_the_end_of_the_text_was(bench):
    """T7: what an agent said before, and what is longer than a row of the store."""
    b = bench(["I look. ", ToolStarted("c", "look"), THOUGHT, WasThought(200 * 11), "Yes"])
    message = await b.end(await b.send())
    assert (message.text, message.reasoning) == ("I look. Yes", THOUGHT)
    assert await b.store.get_message(message.id) == message


@pytest.mark.parametrize("shown", [None, 0, 2, 100])
async def test_a_stop_behind_it(bench, shown):
    """T7, B4: what was shown of the answer is kept, and all of the thought."""
    gate = Gate()
    b = bench([THOUGHT, WasThought(), "Yes", gate, "no"])
    accepted = await b.send()
    await b.shown(accepted, "Yes")
    await b.stop(message_id=accepted.message.id, shown=shown)
    message = await b.end(accepted)
    assert message.state is MessageState.INTERRUPTED
    assert (message.text, message.reasoning) == ("Yes"[:shown], THOUGHT)
    assert await b.store.get_message(message.id) == message
    assert message.usage.output_tokens > 100


async def test_a_stop_before_it_is_written(bench):
    """T7, B2: nothing of the thought is lost, whichever way it stands."""
    gates: list[Gate] = []

    def script(turn):
        gates.append(Gate())
        return ["Hm, so. ", gates[-1], WasThought(), "Yes"]

    b = bench(script)
    for turns in range(12):
        accepted = await b.send()
        await b.shown(accepted, "Hm, so. ")
        gates[-1].open()
        for _ in range(turns):
            await asyncio.sleep(0)
        await b.stop(message_id=accepted.message.id)
        message = await b.end(accepted)
        both = {("Hm, so. ", None), ("", "Hm, so. "), ("Yes", "Hm, so. ")}
        assert (message.text, message.reasoning) in both
        assert await b.store.get_message(message.id) == message


async def test_what_stood_before_a_continued_reply_stays(bench):
    """T7, B7: only what this turn added can have been its thought."""
    gate = Gate()
    b = bench(lambda turn: ["Hm. ", WasThought(), "and half"] if turn.prefix else ["half ", gate])
    accepted = await b.send()
    await b.shown(accepted, "half ")
    await b.stop(message_id=accepted.message.id)
    await b.end(accepted)
    message = await b.end(await b.go_on(accepted.message.id))
    assert (message.text, message.reasoning) == ("half and half", "Hm. ")
    assert await b.store.get_message(message.id) == message
