"""Which tools may act unasked is kept by owner and chat: fewer, never more, where it is lost."""

import asyncio
import itertools

from jupyter_stop_chat.store.tools import allowed


async def test_a_rule_is_kept_once_and_for_its_chat_alone(store, make, monkeypatch):
    """N8: whoever else asks, and however often; of a chat that is gone, or another's, none is."""
    # The clock's milliseconds are too long to tell two rules apart.
    seconds = itertools.count(10)
    monkeypatch.setattr(allowed, "now", lambda: f"2026-01-01T00:00:{next(seconds)}.000Z")
    mine, other, yours = make.chat(), make.chat(), make.chat("you")
    for each in (mine, other, yours):
        await store.create_chat(each)
    rules = store.allowed_tools
    await asyncio.gather(*(rules.allow("me", mine.id, "edit \ud800") for _ in range(5)))
    await rules.allow("me", "", "run")
    await rules.allow("me", yours.id, "run")
    await rules.allow("me", make.id(), "run")
    assert await rules.allowed("me", mine.id) == {"edit \ufffd", "run"}
    assert await rules.allowed("me", other.id) == {"run"}
    assert await rules.allowed("you", yours.id) == frozenset()
    assert await rules.rules("me") == [(mine.id, "edit \ufffd"), ("", "run")]
    await rules.ask_again("me", other.id, "run")
    await rules.ask_again("you", "", "run")
    assert await rules.allowed("me", other.id) == {"run"}
    await store.delete_chat(mine.id)
    assert await rules.rules("me") == [("", "run")]
    await rules.ask_again("me", "", "run")
    assert await rules.rules("me") == []


async def test_what_is_said_while_nothing_can_be_saved(new_store, path, make, monkeypatch):
    """N8: it holds at once and is saved later; where nothing can be read, nothing is allowed."""
    saved, again = asyncio.Event(), asyncio.Event()

    async def sleep(seconds):
        await again.wait()

    store = await new_store(sleep=sleep)
    await store.open()
    store.on_degraded = lambda degraded: None if degraded else saved.set()
    chat = make.chat()
    await store.create_chat(chat)
    rules = store.allowed_tools
    await rules.allow("me", "", "edit")
    await rules.allow("you", "", "edit")
    write, read = store._database.write, store._database.read

    async def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store._database, "write", full)
    monkeypatch.setattr(store._database, "submit", lambda take, then: False)
    await rules.ask_again("me", "", "edit")
    await rules.allow("me", chat.id, "run")
    assert store.health()["degraded"]
    assert await rules.allowed("me", chat.id) == {"run"}
    assert await rules.allowed("you", chat.id) == {"edit"}
    monkeypatch.setattr(store._database, "read", full)
    assert await rules.allowed("you", chat.id) == frozenset()
    assert await rules.allowed("me", chat.id) == {"run"}
    monkeypatch.setattr(store._database, "read", read)
    monkeypatch.setattr(store._database, "write", write)
    again.set()
    await saved.wait()
    assert await rules.rules("me") == [(chat.id, "run")]
    assert await rules.rules("you") == [("", "edit")]
