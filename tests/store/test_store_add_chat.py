"""A whole chat is brought in page by page: hidden until it is there, and in nobody's way."""

import asyncio

import pytest

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store import adding
from jupyter_stop_chat.store.operations import NOBODY, Append, BeginTurn
from jupyter_stop_chat.wire.objects import MessageState


def _thread(make, chat, length):
    messages = []
    for at in range(length):
        follows = messages[-1].id if messages else None
        role = "assistant" if at % 2 else "user"
        messages.append(
            make.message(chat, role, f"lighthouse {at}", reply_to=follows, state="completed")
        )
    return messages


async def test_a_chat_is_hidden_until_it_is_whole(store, make, monkeypatch):
    """J6, L11: and what others write goes on in between."""
    monkeypatch.setattr(adding, "PAGE", 10)
    mine = make.chat()
    _, reply = make.turn(mine)
    await store.begin_turn([reply], mine)
    chat = make.chat()
    messages = _thread(make, chat, 95)
    order, commit = [], store._writer._commit

    async def watch(group, failed):
        order.extend(type(each) for each in group)
        listed = [each.id for each in await store.list_chats("me")]
        assert listed == [mine.id], "not whole yet"
        assert await store.count_chats("me") == 1
        if BeginTurn in map(type, group):
            writing.append(asyncio.ensure_future(store.append(reply.id, "x")))
        return await commit(group, failed)

    writing = []
    monkeypatch.setattr(store._writer, "_submit", lambda take, then: False)
    store._writer._commit = watch
    await store.add_chat(chat, messages)
    store._writer._commit = commit
    await asyncio.gather(*writing)
    assert order.count(BeginTurn) == 10
    places = [at for at, kind in enumerate(order) if kind is BeginTurn]
    assert Append in order[places[0] : places[-1]], "others' text goes in between"
    assert [each.id for each in await store.list_chats("me")] == [chat.id, mine.id]
    assert await store.get_messages(chat.id) == messages
    assert (await store.get_chat(chat.id)).owner == "me"
    # The messages are its owner's as well: a request that goes on with one is found.
    stopped = make.message(chat, state=MessageState.INTERRUPTED, text="half")
    await store.begin_turn([stopped])
    await store.reopen(stopped.id, request := make.id())
    assert (await store.find_request("me", request)).id == stopped.id
    await store.settle(stopped.id, Settlement(MessageState.COMPLETED))


async def test_an_import_that_is_given_up_leaves_nothing(store, make, monkeypatch):
    monkeypatch.setattr(adding, "PAGE", 10)
    chat = make.chat()
    messages = _thread(make, chat, 30)
    with pytest.raises(Exception, match="not_possible_now"):
        await store.add_chat(chat, [*messages, messages[0]])
    assert await store.get_chat(chat.id) is None
    assert await store.get_messages(chat.id) == []


async def test_what_a_dead_server_was_bringing_in_is_swept_out(new_store, make):
    store = await new_store("host:1:a")
    await store.open()
    old, new = make.chat(owner=NOBODY), make.chat(owner=NOBODY, updated_at="9999-01-01T00:00:00Z")
    for chat in (old, new):
        await store.create_chat(chat)
    await store.close()
    again = await new_store("host:2:b")
    await again.open()
    assert await again.get_chat(old.id) is None
    assert await again.get_chat(new.id) is not None
