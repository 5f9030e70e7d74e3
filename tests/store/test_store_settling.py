"""A long text keeps what a short one would, wherever it lies."""

import asyncio
import random
import threading

import pytest

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store import open_store
from jupyter_stop_chat.store import settle as settling
from jupyter_stop_chat.store.sqlite import connections
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice


@pytest.mark.parametrize("seeds", [10, pytest.param(100, marks=pytest.mark.stress)])
async def test_a_long_text_is_kept_up_to_where_it_was_seen(store, make, monkeypatch, seeds):
    """B3, B4: settled, gone on with, and settled again; the rest stays in the rows it came in."""
    monkeypatch.setattr(settling, "FOLDED", 9)
    monkeypatch.setattr(settling, "_PAGE", 2)
    for seed in range(seeds):
        await _settle_thrice(store, make, seed)


async def _settle_thrice(store, make, seed):
    chance = random.Random(seed)
    chat = make.chat()
    await store.begin_turn(make.turn(chat)[1:], chat)
    reply = (await store.get_messages(chat.id))[0]
    text = ""
    for _ in range(3):
        least = utf16_length(text)
        for _ in range(chance.randrange(8)):
            piece = "".join(chance.choices(["a", "é", "😀", "bc "], k=chance.randrange(6)))
            await store.append(reply.id, piece)
            text += piece
        await store.append(reply.id, "hm", "reasoning")
        keep = chance.choice([None, chance.randint(least, utf16_length(text))])
        text = utf16_slice(text, 0, keep)
        settled = await store.settle(reply.id, Settlement(MessageState.INTERRUPTED, keep=keep))
        assert settled.text == text
        assert settled.text_length == utf16_length(text)
        assert await store.get_message(reply.id) == settled
        assert await store.get_messages(chat.id) == [settled]
        assert (await store.reopen(reply.id)).text == text


async def test_a_text_of_megabytes_is_found_by_how_it_begins(store, make, monkeypatch):
    """What lies behind the part that is searched is read all the same."""
    monkeypatch.setattr(settling, "FOLDED", 20)
    chat = make.chat()
    await store.begin_turn(make.turn(chat)[1:], chat)
    reply = (await store.get_messages(chat.id))[0]
    for piece in ("a lighthouse ", "in a storm ", "far away ", "where nobody lives"):
        await store.append(reply.id, piece)
    await store.settle(reply.id, Settlement(MessageState.COMPLETED))
    assert [each.id for each in await store.list_chats("me", query="storm")] == [chat.id]
    assert await store.list_chats("me", query="nobody") == []
    assert (await store.get_message(reply.id)).text.endswith("far away where nobody lives")
    assert await store.delete_chat(chat.id)
    assert await store.list_chats("me", query="storm") == []


async def test_what_is_cut_may_lie_before_the_rows(store, make, monkeypatch):
    """Another's settlement that ends within what an earlier one had put into the message."""
    monkeypatch.setattr(settling, "FOLDED", 4)
    chat = make.chat()
    await store.begin_turn(make.turn(chat)[1:], chat)
    reply = (await store.get_messages(chat.id))[0]
    await store.append(reply.id, "0123456789")
    await store.settle(reply.id, Settlement(MessageState.INTERRUPTED))
    await store.reopen(reply.id)
    await store.append(reply.id, "abc")
    settled = await store.settle(reply.id, Settlement(MessageState.INTERRUPTED, keep=7))
    assert settled.text == "0123456"
    assert await store.get_message(reply.id) == settled


@pytest.mark.parametrize("long", [False, True])
async def test_ends_and_texts_of_others_are_one_group_of_short_statements(
    make, monkeypatch, tmp_path, long
):
    """S5: each statement waits for a busy loop, and SQLAlchemy's take more of it than they do."""
    slow = []
    apply = connections.apply
    monkeypatch.setattr(connections, "apply", lambda *args: slow.append(1) or apply(*args))
    store = await open_store(f"sqlite:///{tmp_path / 'chats'}", owner_process="host:1:a")
    replies = []
    for _ in range(3):
        chat = make.chat()
        await store.begin_turn(make.turn(chat)[1:], chat)
        replies += await store.get_messages(chat.id)
    for reply in replies:
        await store.append(reply.id, "one ")
    if long:
        monkeypatch.setattr(settling, "FOLDED", 4)
    slow.clear()
    one, two, three = (reply.id for reply in replies)
    gate = threading.Event()
    store._database._connections._write_thread.call(gate.wait, lambda *_: None)
    kept = {}

    def settle(message_id, settlement):
        def tell(message, _):
            kept[message_id] = message.text

        store.settle_then(message_id, settlement, tell)

    done = [store.append(one, "two "), store.append(two, "two ")]
    settle(one, Settlement(MessageState.COMPLETED))
    done += [store.append(one, "too late"), store.append(two, "three ")]
    settle(three, Settlement(MessageState.INTERRUPTED, keep=2))
    gate.set()
    await asyncio.gather(*done)
    assert kept == {one: "one two ", three: "on"}
    texts = [(await store.get_message(reply.id)).text for reply in replies]
    assert texts == ["one two ", "one two three ", "on"]
    assert len(slow) == (1 if long else 0)
    await store.close()
