"""Texts that are there again, or cut within a character: as in a store that is well."""

import uuid

from jupyter_stop_chat.wire.utf16 import TextBuffer
from tests.store.degraded.fault import Fault


async def test_what_is_there_again_or_cut_within_a_character_is_alike(new_store, path, make):
    """B3, H3: a chat that is made anew is a place in a list; half a character is in no text."""
    answers = []
    for url in ("sqlite://", None):
        fault = Fault(path)
        store = await new_store(url=url, sleep=fault.sleep, busy_seconds=0.01)
        store.on_degraded = fault.tell
        await store.open()
        chats = [make.chat() for _ in range(3)]
        for chat in chats:
            await store.create_chat(chat)
        asked, reply = make.turn(chats[0])
        await store.begin_turn([asked, reply])
        await store.append(reply.id, "\U0001f600b")
        if url is None:
            fault.begin()
            await store.set_title(str(uuid.UUID(int=0)), None)
            assert store.health()["degraded"]
        await store.delete_chat(chats[2].id)
        await store.create_chat(chats[2])
        listed = await store.list_chats("me", before=chats[2].id)
        await store.make_thought(reply.id, 1)
        thought = await store.get_message(reply.id)
        names = [[chat.id for chat in chats].index(each.id) for each in listed]
        answers.append((names, thought.text, thought.text_length, thought.reasoning))
        if url is None:
            await fault.end()
            await fault.saved.wait()
    assert answers[0] == answers[1]
    shown = TextBuffer("\U0001f600b")
    shown.cut(1)
    assert answers[0] == ([0, 1], str(shown), shown.length, "b")
