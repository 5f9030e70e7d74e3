"""A long chat that is deleted keeps no other waiting, and is gone at once."""

import asyncio

import pytest

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

LONG, PAGE = 1000, 200


async def add_long(store, make, owner="me"):
    chat = make.chat(owner)
    messages = [make.message(chat, "user", f"whale {n} " * 20) for n in range(LONG)]
    await store.add_chat(chat, messages)
    return chat, messages


async def test_what_others_write_goes_on_while_a_long_chat_is_deleted(store, make):
    """B3, J6: it goes a page at a time, and what is written in between is committed in between."""
    chat, messages = await add_long(store, make)
    other = make.chat("bob")
    turn = make.turn(other)
    await store.begin_turn(turn, other)
    deleting = asyncio.ensure_future(store.delete_chat(chat.id))
    written = 0
    while not deleting.done():
        await store.append(turn[1].id, "x")
        written += 1
    assert await deleting
    assert written >= LONG / PAGE
    assert await store.get_messages(chat.id) == []
    some = (messages[0], messages[LONG // 2], messages[-1])
    assert [await store.get_message(each.id) for each in some] == [None, None, None]
    assert await store.list_chats("me", query="whale") == []
    assert (await store.get_message(turn[1].id)).text == "x" * written


async def test_a_chat_that_is_being_deleted_is_nobodys(store, make):
    """L1: it is in no list, counts no more, takes no prompt, and is not deleted twice."""
    chat, _ = await add_long(store, make)
    deleting = asyncio.ensure_future(store.delete_chat(chat.id))
    hidden = 0
    while not deleting.done():
        found = await store.get_chat(chat.id)
        if found is not None and found.owner != "me":
            hidden += 1
            assert await store.list_chats("me") == []
            assert await store.count_chats("me") == 0
            assert not await store.delete_chat(chat.id)
            with pytest.raises(StopChatError) as refused:
                await store.begin_turn(make.turn(chat))
            assert refused.value.code is ErrorCode.UNKNOWN_CHAT
        await asyncio.sleep(0)
    assert await deleting
    assert hidden


async def test_a_deletion_whose_caller_is_gone_is_done_all_the_same(store, make):
    chat, messages = await add_long(store, make)
    deleting = asyncio.ensure_future(store.delete_chat(chat.id))
    while (await store.get_chat(chat.id)).owner == "me":  # noqa: ASYNC110
        await asyncio.sleep(0)
    deleting.cancel()
    while await store.get_chat(chat.id) is not None:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert await store.get_message(messages[-1].id) is None
