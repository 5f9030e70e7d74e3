"""The outputs of runs that no page was there for, in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_stop_chat.ports.outputs import KeptRun
from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store.tools import outputs as module
from jupyter_stop_chat.wire.objects import MessageState
from tests.faults.store_case import FILL, a_chat, a_message, a_turn, case

__all__ = ["case"]

A = "a.ipynb"


def a_run(message_id: str, cell_id: str = "one", at: int = 0, **more) -> KeptRun:
    fields = {
        "call_id": f"call-{cell_id}",
        "path": A,
        "digest": "0" * 64,
        "outputs": "[]",
        "execution_count": 1,
        "ended_at": f"2026-01-01T00:00:{at:02}Z",
    }
    return KeptRun(message_id=message_id, cell_id=cell_id, **(fields | more))


async def _reply(store, make, **more):
    chat = make.chat(**more)
    prompt, reply = make.turn(chat)
    await store.begin_turn([prompt, reply], chat)
    return reply


async def test_runs_are_kept_by_owner_and_notebook_and_dropped(store, make):
    """N6: of a live reply and of one that has ended; nobody else's."""
    reply, theirs = await _reply(store, make), await _reply(store, make, owner="you")
    kept = store.outputs
    first = a_run(reply.id, outputs='[{"text": "é"}]', execution_count=None)
    second = a_run(reply.id, "two", 1, execution_count=2**40)
    await kept.keep(first)
    await store.settle(reply.id, Settlement(MessageState.INTERRUPTED))
    await kept.keep(second)
    await kept.keep(a_run(reply.id, "three", path="b.ipynb"))
    await kept.keep(their := a_run(theirs.id, at=2))
    await kept.keep(a_run(make.id()))
    assert await kept.of("me", A) == [first, second]
    assert await kept.of("you", A) == [their]
    await kept.drop("you", reply.id, "call-one")
    await kept.drop("me", reply.id, "call-two")
    await kept.drop("me", make.id(), "call-one")
    assert await kept.of("me", A) == [first]


async def test_of_a_cell_the_newest_run_alone_is_kept(store, make):
    """N6: whichever chat it was in; and a call has one."""
    reply, other = await _reply(store, make), await _reply(store, make)
    await store.outputs.keep(a_run(reply.id))
    await store.outputs.keep(newer := a_run(other.id, at=1))
    assert await store.outputs.of("me", A) == [newer]
    await store.outputs.keep(newest := replace(newer, cell_id="two"))
    assert await store.outputs.of("me", A) == [newest]


async def test_they_go_with_their_chat(store, make):
    """N6."""
    reply = await _reply(store, make)
    await store.outputs.keep(a_run(reply.id))
    assert await store.delete_chat(reply.chat_id)
    assert await store.outputs.of("me", A) == []


async def test_as_many_are_kept_as_fit(store, make, monkeypatch):
    """N6: the oldest go, and a large one stands alone."""
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    reply = await _reply(store, make)
    for at in range(5):
        await store.outputs.keep(a_run(reply.id, f"cell-{at}", at))
    assert [each.cell_id for each in await store.outputs.of("me", A)] == [
        "cell-2",
        "cell-3",
        "cell-4",
    ]
    monkeypatch.setattr(module, "MOST_KEPT_BYTES", 100)
    await store.outputs.keep(a_run(reply.id, "large", 9, outputs="é" * 500))
    assert [each.cell_id for each in await store.outputs.of("me", A)] == ["large"]


async def test_what_is_kept_while_nothing_can_be_saved_is_saved_later(case):
    """N6, B3: it can be read meanwhile."""
    store = await case.open()
    chat, filler = a_chat(), a_chat(owner="filler")
    _, reply = a_turn(chat)
    await store.begin_turn([reply.model_copy(update={"reply_to": None})], chat)
    await store.outputs.keep(a_run(reply.id))
    case.pragmas["max_page_count"] = 1
    await store._database.stop_writing()
    await store._database.open()
    await store.begin_turn([a_message(filler, "user", FILL)], filler)
    assert case.told == [True]
    newer, other = a_run(reply.id, at=1, call_id="again"), a_run(reply.id, "two", 2)
    await store.outputs.keep(newer)
    await store.outputs.keep(other)
    assert await store.outputs.of(chat.owner, A) == [newer, other]
    del case.pragmas["max_page_count"]
    await case.saved_again()
    assert await store.outputs.of(chat.owner, A) == [newer, other]


@pytest.mark.parametrize("words", ["\0", "\ud800"])
async def test_what_a_kernel_says_is_kept_as_far_as_it_can_be(store, make, words):
    """N6: no database refuses it."""
    reply = await _reply(store, make)
    await store.outputs.keep(a_run(reply.id, outputs=f'["{words}"]', call_id=f"c{words}"))
    (run,) = await store.outputs.of("me", A)
    assert run.outputs == '["\ufffd"]'
    await store.outputs.drop("me", reply.id, f"c{words}")
    assert await store.outputs.of("me", A) == []
