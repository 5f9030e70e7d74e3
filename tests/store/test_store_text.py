"""A reply's text in the store: in order, as it was seen, whatever it consists of."""

import asyncio
import sqlite3
from contextlib import closing

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.wire.objects import MessageState
from tests.aids.in_turn import in_turn

DONE = Settlement(MessageState.COMPLETED)


async def test_text_is_read_right_at_any_moment(store, make):
    """B3: what was appended is there, folded in, before and after the end."""
    chat = make.chat()
    await store.begin_turn(make.turn(chat)[1:], chat)
    reply = (await store.get_messages(chat.id))[0]
    text = ""
    for piece in ("Hé", "llo ", "😀", "", "!"):
        await store.append(reply.id, piece)
        text += piece
        for message in (await store.get_message(reply.id), *await store.get_messages(chat.id)):
            assert message.text == text
            assert message.text_length == len(text.encode("utf-16-le")) // 2
    await store.append(reply.id, "hm", "reasoning")
    await store.append(reply.id, "m.", "reasoning")
    assert (await store.get_message(reply.id)).reasoning == "hmm."
    settled = await store.settle(reply.id, DONE)
    assert (settled.text, settled.reasoning, settled.text_length) == ("Héllo 😀!", "hmm.", 9)
    assert await store.get_message(reply.id) == settled


async def test_many_appends_at_once_keep_their_order(store, make):
    chat = make.chat()
    replies = [make.message(chat) for _ in range(8)]
    await store.begin_turn(replies, chat)
    await asyncio.gather(
        *(store.append(reply.id, f"{n},") for n in range(300) for reply in replies)
    )
    expected = "".join(f"{n}," for n in range(300))
    assert [message.text for message in await store.get_messages(chat.id)] == [expected] * 8


@in_turn(
    ("keep", "kept"),
    [(0, ""), (1, "a"), (2, "a"), (3, "a😀"), (4, "a😀b"), (99, "a😀b"), (None, "a😀b")],
)
async def test_the_kept_text_ends_where_the_person_saw_it_end(store, make, keep, kept):
    """B4: cut at `keep` UTF-16 units; half a surrogate pair is dropped."""
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "a😀")
    await store.append(reply.id, "b")
    settled = await store.settle(reply.id, Settlement(MessageState.INTERRUPTED, keep=keep))
    assert settled.text == kept
    assert settled.text_length == len(kept.encode("utf-16-le")) // 2
    assert await store.get_message(reply.id) == settled


@in_turn("bad", ["\ud83d", "a\0b", "x\ude00\ud83dy"])
async def test_text_that_no_database_holds_keeps_its_length(store, make, bad):
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    await asyncio.gather(store.append(reply.id, bad), store.append(reply.id, "good"))
    message = await store.get_message(reply.id)
    assert message.text.endswith("good")
    assert message.text_length == len(bad) + 4
    assert (await store.settle(reply.id, DONE)).text == message.text


@in_turn("words", ["a", "é", "😀", "long and plain ", "mixed é😀 "])
async def test_a_long_piece_of_text_lies_in_small_rows(store, make, words, request):
    """Looking for a row would read all the text of those it passes, were they larger."""
    chat = make.chat()
    _, reply = make.turn(chat)
    await store.begin_turn([reply], chat)
    pieces = [words * 1000, "", words, words * 225]
    for piece in pieces:
        await store.append(reply.id, piece)
    assert (await store.get_message(reply.id)).text == "".join(pieces)
    if "file" in request.node.callspec.id:
        assert 200 < await asyncio.to_thread(_longest_row, request.getfixturevalue("path")) <= 900


def _longest_row(path):
    with closing(sqlite3.connect(path)) as connection:
        longest = connection.execute("SELECT max(length(CAST(text AS BLOB))) FROM deltas")
        return longest.fetchone()[0]
