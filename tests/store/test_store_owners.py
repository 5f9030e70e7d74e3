"""What is done to one message touches no other, whoever it belongs to and however long it is."""

import asyncio
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store import settle as settling
from jupyter_stop_chat.wire.objects import Message, MessageState
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice
from tests.examples import examples

OWNERS = ("ada", "bob", "eve")
WORDS = st.sampled_from(["a", "é", "😀", "bc ", "long and plain ", "mixed é😀 ", "日本"])
#: Most texts are short; some are longer than what is folded into a message.
SIZES = st.integers(0, 40) | st.sampled_from([1, 224, 226, 900, 5_000, 90_000])
PIECES = st.builds(lambda words, size: (words * size)[: max(size, 1)], WORDS, SIZES)


async def _reply(store, make, owner):
    chat = make.chat(owner=owner)
    _, reply = make.turn(chat)
    await store.begin_turn([reply], chat)
    return reply


async def test_a_stop_cuts_one_reply_and_no_other(store, make):
    """B4, J6: two people's long replies; where one is cut, the other stays as it was."""
    alice, bob = [await _reply(store, make, owner) for owner in ("alice", "bob")]
    await asyncio.gather(
        *(
            store.append(reply.id, f"{name} {n:03} ".ljust(500, name[0]))
            for n in range(600)
            for name, reply in (("alice", alice), ("bob", bob))
        )
    )
    before = await store.get_message(bob.id)
    stopped = Settlement(MessageState.INTERRUPTED, keep=280_123)
    kept = await store.settle(alice.id, stopped)
    assert kept.text_length == 280_123
    assert await store.get_message(alice.id) == kept
    assert await store.get_message(bob.id) == before
    assert "alice" not in before.text


@dataclass
class _Told:
    """What a message should be, in plain Python."""

    message: Message
    text: str = ""
    reasoning: str = ""
    live: bool = True


APPEND = st.tuples(st.just("append"), st.integers(0, 3), PIECES, st.booleans())
SETTLE = st.tuples(
    st.just("settle"), st.integers(0, 3), st.none() | st.floats(0, 1), st.none() | st.floats(0, 1)
)
REOPEN = st.tuples(st.just("reopen"), st.integers(0, 3), st.none(), st.none())
STEPS = st.lists(APPEND | APPEND | APPEND | SETTLE | REOPEN, min_size=4, max_size=24)


@pytest.mark.parametrize(("folded", "begun"), [(9, 0), (300, 280), (settling.FOLDED, 260_000)])
def test_every_message_is_what_was_said_of_it(store, make, jp_asyncio_loop, folded, begun):
    """B3, B4, J6: whatever is appended and cut in whatever order, in several people's chats."""
    start = "12345 78é" * (begun // 9)
    # A step is a few round trips to a database server.
    slow = begun > 1000 or store.health()["url"].startswith("postgresql")

    @settings(
        max_examples=examples(3, 60) if slow else examples(10, 200),
        deadline=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(STEPS)
    def check(steps):
        with patch.object(settling, "FOLDED", folded), patch.object(settling, "_PAGE", 3):
            jp_asyncio_loop.run_until_complete(_play(store, make, steps, start))

    check()


async def _play(store, make, steps, begun):
    owners = (*OWNERS, OWNERS[0])
    told = [_Told(await _reply(store, make, owner), begun) for owner in owners]
    await asyncio.gather(*(store.append(each.message.id, begun) for each in told))
    for kind, who, first, second in steps:
        each = told[who]
        if kind == "append":
            await store.append(each.message.id, first, "reasoning" if second else "text")
            if each.live and second:
                each.reasoning += first
            elif each.live:
                each.text += first
        elif kind == "settle":
            keep, keep_reasoning = _place(first, each.text), _place(second, each.reasoning)
            end = Settlement(MessageState.INTERRUPTED, keep=keep, keep_reasoning=keep_reasoning)
            settled = await store.settle(each.message.id, end)
            assert (settled is not None) is each.live
            if each.live:
                each.text = utf16_slice(each.text, 0, keep)
                each.reasoning = utf16_slice(each.reasoning, 0, keep_reasoning)
            each.live = False
        else:
            reopened = await store.reopen(each.message.id)
            assert (reopened is not None) is not each.live
            each.live = True
        for other in told:
            found = await store.get_message(other.message.id)
            assert found.text == other.text
            assert found.text_length == utf16_length(other.text)
            assert (found.reasoning or "") == other.reasoning
    for other in told:
        await store.delete_chat(other.message.chat_id)


def _place(share, text):
    """Find where a text is cut: anywhere, or within the last of it."""
    if share is None:
        return None
    length = utf16_length(text)
    return round(share * length) if share < 0.5 else max(0, length - round((1 - share) * 2000))
