"""Change a prompt that waits: its text, and the reply that it follows."""

from __future__ import annotations

import sqlite3

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.wire.objects import Attachment, MessageState


async def test_a_waiting_prompt_gets_other_words_and_another_place(store, make):
    """V6, J5: the thread of its reply is read along the new place."""
    chat = make.chat()
    first, reply = make.turn(chat)
    await store.begin_turn([first, reply], chat)
    await store.settle(reply.id, Settlement(MessageState.COMPLETED))
    asked, waiting = make.turn(chat, "old words", state=MessageState.QUEUED)
    await store.begin_turn([asked, waiting])
    await store.amend_prompt(asked.id, "new words 🗼", reply.id)
    thread = await store.get_thread(waiting.id)
    assert [message.id for message in thread] == [first.id, reply.id, asked.id, waiting.id]
    assert thread[2].text == "new words 🗼"
    assert thread[2].text_length == len("new words ") + 2
    assert [chat.id] == [found.id for found in await store.list_chats("me", query="new")]
    assert not await store.list_chats("me", query="old")
    await store.amend_prompt(asked.id, "new words 🗼", None)
    assert [message.id for message in await store.get_thread(waiting.id)] == [asked.id, waiting.id]


async def test_a_waiting_prompt_keeps_what_is_left_attached(store, make):
    """U25: what goes with it is changed with its words, and stays where nothing is said of it."""
    chat = make.chat()
    asked, waiting = make.turn(chat, "words", state=MessageState.QUEUED)
    both = (Attachment(name="a.txt", text="A"), Attachment(name="b.txt", text="B"))
    asked = asked.model_copy(update={"attachments": both})
    await store.begin_turn([asked, waiting], chat)
    for attached, left in ((None, both), (both[1:], both[1:]), (None, both[1:]), ((), ())):
        await store.amend_prompt(asked.id, "other words", None, None, attached)
        changed = await store.get_message(asked.id)
        assert changed is not None
        assert changed.attachments == left


async def test_a_reply_is_no_prompt(store, make):
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    request_id = make.id()
    await store.amend_prompt(reply.id, "forged", None, (reply.id, request_id))
    assert await store.find_request("me", request_id) is None
    assert (await store.get_message(reply.id)).text == ""
    await store.amend_prompt(make.id(), "nobody's", None)


async def test_what_is_changed_while_degraded_is_saved_later(new_store, path, make):
    store = await new_store(busy_seconds=0.0)
    await store.open()
    chat = make.chat()
    asked, reply = make.turn(chat, "old words", state=MessageState.QUEUED)
    await store.begin_turn([asked, reply], chat)
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    request_id = make.id()
    await store.amend_prompt(asked.id, "new words", reply.id, (reply.id, request_id))
    found = await store.find_request("me", request_id)
    assert found.id == reply.id
    assert store.health()["degraded"]
    assert (await store.get_message(asked.id)).text == "new words"
    await store.create_chat(make.chat())
    assert [await store.count_chats(owner) for owner in ("me", "you")] == [2, 0]
    lock.execute("ROLLBACK")
    lock.close()
    await store.close()
    after = await new_store(process="host:1:b")
    await after.open()
    saved = await after.get_message(asked.id)
    assert (saved.text, saved.text_length, saved.reply_to) == ("new words", 9, reply.id)
    assert saved.state is MessageState.COMPLETED
    found = await after.find_request("me", request_id)
    assert found.id == reply.id
    assert await after.find_request("you", request_id) is None
