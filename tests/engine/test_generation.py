"""A generation: its text, its fence, its receipt."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_stop_chat.engine.pending import PENDING_LIMIT
from jupyter_stop_chat.ports.handler import Reasoning, Text, TokensUsed, ToolEnded, ToolStarted
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Usage
from jupyter_stop_chat.wire.usage import total
from tests.aids.generations import Kept, a_generation


async def test_text_is_shown_once_it_is_committed():
    """B3."""
    kept, gate = Kept(), asyncio.Event()
    kept.wait = gate.wait
    generation = a_generation(kept)
    generation.apply(Text("one "))
    await asyncio.sleep(0)
    generation.apply(Text("two "))
    generation.apply(Text("three"))
    assert str(generation.text) == ""
    gate.set()
    await generation.finish()
    assert kept.committed == [("text", "one "), ("text", "two three")]
    assert kept.shown == ["one ", "one two three"]


async def test_the_parts_keep_their_order():
    """T7: each its own; how they lie between each other is kept nowhere."""
    kept = Kept()
    generation = a_generation(kept)
    for event in (Reasoning("a"), Reasoning("b"), Text("c"), Reasoning("d"), Text("e")):
        generation.apply(event)
    await generation.finish()
    for part, text in (("reasoning", "abd"), ("text", "ce")):
        assert "".join(text for each, text in kept.committed if each == part) == text
    assert (str(generation.reasoning), str(generation.text)) == ("abd", "ce")


async def test_what_waits_is_bounded():
    """Rule 8."""
    kept, gate = Kept(), asyncio.Event()
    kept.wait = gate.wait
    generation = a_generation(kept)
    generation.apply(Text("x"))
    await asyncio.sleep(0)
    generation.apply(Text("x" * PENDING_LIMIT))
    room = asyncio.create_task(generation.room())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not room.done()
    gate.set()
    await room
    await generation.finish()
    assert generation.text.length == PENDING_LIMIT + 1


async def test_a_fence_lets_nothing_through():
    """B1, B4, V2: from the very step in which it is put up."""
    kept, gate = Kept(), asyncio.Event()
    kept.wait = gate.wait
    generation = a_generation(kept)
    generation.apply(Text("on its way"))
    await asyncio.sleep(0)
    generation.apply(Text("waiting"))
    generation.begin_stop("user")
    for event in (Text("t"), Reasoning("r"), ToolStarted("c", "n"), TokensUsed(1, 1)):
        generation.apply(event)
    flusher = kept.committing
    gate.set()
    await flusher
    await generation.finish()
    assert kept.committed == [("text", "on its way")]
    assert kept.shown == []
    assert (str(generation.text), str(generation.reasoning)) == ("", "")
    assert (generation.tools, generation.usage) == ({}, None)


async def test_a_tool_is_committed_before_it_is_shown():
    """B3: in its place among the text, and what a stop finds on its way is not shown."""
    kept, gate = Kept(), asyncio.Event()
    kept.wait = gate.wait
    generation = a_generation(kept)
    for event in (Text("a"), ToolStarted("c", "look"), ToolEnded("c", "found"), Text("b")):
        generation.apply(event)
    await asyncio.sleep(0)
    assert (generation.tools, kept.tools, kept.shown) == ({}, [], [])
    gate.set()
    await generation.finish()
    assert kept.committed == [
        *(("text", "a"), ("tool", "c running"), ("tool", "c completed"), ("text", "b"))
    ]
    assert [tool.state for tool in kept.tools] == ["running", "completed"]
    gate.clear()
    generation.apply(ToolStarted("d", "look"))
    flusher = kept.committing
    await asyncio.sleep(0)
    generation.begin_stop("user")
    gate.set()
    await flusher
    assert list(generation.tools) == ["c"]


async def test_a_stop_ends_the_wait_for_a_commit():
    """B1: a store that does not answer holds no stop up."""
    kept = Kept()
    kept.wait = asyncio.Event().wait
    generation = a_generation(kept)
    generation.apply(Text("x" * PENDING_LIMIT))
    finishing = asyncio.create_task(generation.finish())
    await asyncio.sleep(0)
    generation.begin_stop("user")
    await asyncio.wait_for(finishing, 5)
    await asyncio.wait_for(generation.room(), 5)
    kept.committing.cancel()


async def test_one_that_failed_or_ended_takes_nothing_more():
    generation = a_generation()
    generation.failure = StopChatError(ErrorCode.TOOK_TOO_LONG)
    generation.apply(Text("late"))
    assert generation.fenced
    assert not generation.cut_off
    generation = a_generation(state=MessageState.COMPLETED)
    generation.apply(Text("late"))
    await generation.finish()
    assert str(generation.text) == ""


async def test_a_partial_reply_is_never_cut_below_what_it_was():
    """V9, B4: what the first part held is not lost by a stop of the second."""
    generation = a_generation(text="first part")
    generation.apply(Text(" and second"))
    await generation.finish()
    generation.begin_stop("user", shown=3)
    assert str(generation.text) == "first part"


async def test_the_longest_reply_is_cut_between_characters():
    generation = a_generation(max_length=4)
    with pytest.raises(StopChatError) as caught:
        generation.apply(Text("abc🗼"))
    assert caught.value.code is ErrorCode.REPLY_TOO_LONG
    await generation.finish()
    assert str(generation.text) == "abc"


async def test_text_that_cannot_be_kept_is_told_of():
    kept = Kept()
    kept.error = RuntimeError("broken")
    generation = a_generation(kept)
    generation.apply(Text("x"))
    with pytest.raises(StopChatError) as caught:
        await generation.finish()
    assert caught.value.code is ErrorCode.INTERNAL
    with pytest.raises(StopChatError):
        await generation.room()


async def test_tools_have_an_end_each():
    """B8: also when the reply is stopped."""
    kept = Kept()
    generation = a_generation(kept)
    generation.apply(ToolStarted("a", "x"))
    generation.apply(ToolStarted("b", "y"))
    generation.apply(ToolEnded("a", "fine"))
    await generation.finish()
    generation.end_tools()
    generation.end_tools()
    assert [(tool.call_id, tool.state) for tool in kept.tools] == [
        *(("a", "running"), ("b", "running"), ("a", "completed"), ("b", "interrupted"))
    ]


@pytest.mark.parametrize(("stopped", "state"), [(False, "failed"), (True, "interrupted")])
async def test_a_tool_that_ends_with_its_reply_ends_as_the_reply_does(stopped, state):
    """B8: one that raised has failed; nobody stopped it."""
    kept = Kept()
    generation = a_generation(kept)
    generation.apply(ToolStarted("a", "x"))
    await generation.finish()
    if stopped:
        generation.begin_stop("user")
    generation.failure = StopChatError(ErrorCode.INTERNAL)
    generation.end_tools()
    assert kept.tools[-1].state == state


@pytest.mark.parametrize(
    ("reports", "provider", "has_ms"),
    [
        ([], "not_started", False),
        (["started"], "unconfirmed", False),
        (["started", "closed"], "closed", True),
        (["started", "still_finishing"], "still_finishing", False),
        (["started", "still_finishing", "closed"], "closed", True),
        (["started", "closed", "closed"], "closed", True),
        (["started", "closed", "started"], "unconfirmed", True),
        (["nonsense"], "not_started", False),
    ],
)
async def test_the_receipt_says_what_was_reported(reports, provider, has_ms):
    """B2."""
    generation = a_generation()
    generation.begin_stop("user", discard=True)
    for report in reports:
        generation.report(report)
    receipt = generation.receipt()
    assert receipt.provider == provider
    assert (receipt.provider_ms is not None) == has_ms
    assert receipt.discarded
    assert receipt.settled_ms >= (receipt.provider_ms or 0)


async def test_there_is_no_receipt_without_a_stop():
    assert a_generation().receipt() is None


def test_usage_adds_up():
    """B9."""
    one, two = Usage(input_tokens=1), Usage(output_tokens=2, estimated=True)
    assert total(None, None) is None
    assert total(one, None) == one
    assert total(None, two) == two
    assert total(one, two) == Usage(input_tokens=1, output_tokens=2, estimated=True)
    assert total(one, one) == Usage(input_tokens=2)


@given(st.lists(st.text(st.characters(codec=None)), max_size=20), st.integers(0, 200))
def test_whatever_is_made_and_wherever_it_is_cut(pieces, shown):
    """B4: text, length and offsets agree, and every text can be written as UTF-8."""

    async def run():
        generation = a_generation()
        for piece in pieces:
            generation.apply(Text(piece))
        await generation.finish()
        made = str(generation.text)
        assert generation.text.length == len(made.encode("utf-16-le")) // 2
        assert generation.text.length == sum(
            len(piece.encode("utf-16-le", "surrogatepass")) // 2 for piece in pieces
        )
        generation.begin_stop("user", shown=shown)
        assert generation.text.length <= max(shown, 0)
        assert made.startswith(str(generation.text))

    asyncio.run(run())
